# SPDX-License-Identifier: Apache-2.0
"""Load on a node while it is upgraded: clients that keep their connections, clients that make one for each request.
A request that fails is never repeated, unless it came on a connection that was silent for longer than the server
announces its end (docs/operating.md): then it may have crossed the end, which is no fault of the server.  Ends when FILE appears; prints requests, failures and the longest wait.

    upgrade.py HOST:PORT PATH SECONDS_MAX FILE [--rate N]"""
import http.client
import json
import os
import ssl
import sys
import threading
import time

host, path, seconds, stop = sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
until = time.monotonic() + seconds
lock = threading.Lock()
waits, failures, connections, crossed = [], [], 0, 0
SILENCE_S = 0.3  # of the 0.4 that the server waits for connections with pauses


def client(number, keeps):
    global connections, crossed
    connection = None
    count = 0
    used = 0
    repeats = False
    while repeats or (time.monotonic() < until and not os.path.exists(stop)):
        count += not repeats
        repeats = False
        body = f"{number}/{count}".encode()
        began = time.monotonic()
        silent_s = None
        try:
            if connection is None:
                connection = http.client.HTTPSConnection(host, context=context, timeout=30)
                connection.connect()
                with lock:
                    connections += 1
                used = time.monotonic()
            connection.request("POST", path, body)
            silent_s = time.monotonic() - used
            used += silent_s
            answer = connection.getresponse()
            text = answer.read()
            if answer.status != 200 or text != body:
                raise RuntimeError(f"{answer.status} {text[:200]!r}")
            if answer.will_close or not keeps:
                connection.close()
                connection = None
        except Exception as problem:
            silent_s = time.monotonic() - used if silent_s is None else silent_s
            repeats = isinstance(problem, (ConnectionError, ssl.SSLError)) and connection is not None and silent_s > SILENCE_S
            with lock:
                if repeats:
                    crossed += 1
                else:
                    failures.append(f"client {number}, request {count}: {problem!r} after {silent_s:.3f} s")
            connection = None
        with lock:
            waits.append((time.monotonic() - began, began))
        time.sleep(0.01)


threads = [threading.Thread(target=client, args=(n, n < 6)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
waits.sort()
print(json.dumps({"requests": len(waits), "failed": len(failures), "connections": connections, "crossed": crossed,
                  "longest_ms": round(waits[-1][0] * 1000), "median_ms": round(waits[len(waits) // 2][0] * 1000, 1),
                  "problems": failures[:5]}))
