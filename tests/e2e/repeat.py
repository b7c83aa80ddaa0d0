#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""repeat.py URL SUPERVISOR KILLS: asks for increments, each under its own Idempotency-Key, and repeats each until it is
answered, while the node's server is killed again and again.  In the end every key was counted exactly once, and says
again what it said."""
import http.client
import itertools
import os
import signal
import ssl
import subprocess
import sys
import threading
import time

url, supervisor, kills = sys.argv[1], sys.argv[2], int(sys.argv[3])
host, port = url.removeprefix("https://").rsplit(":", 1)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def request(path: str, body: bytes, key: str | None = None) -> tuple[int, bytes, bool]:
    connection = http.client.HTTPSConnection(host, int(port), timeout=10, context=context)
    try:
        connection.request("POST", path, body, {"idempotency-key": f'"{key}"'} if key else {})
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("s3n-replayed") == "true"
    finally:
        connection.close()


def until_answered(path: str, body: bytes, key: str | None = None) -> tuple[bytes, bool, int]:
    deadline = time.monotonic() + 60
    for tries in itertools.count(1):
        if time.monotonic() > deadline:
            sys.exit("no answer within a minute")
        try:
            status, text, replayed = request(path, body, key)
            if status == 200:
                return text, replayed, tries
            if status not in (409, 429, 502, 503, 504):
                sys.exit(f"{status} {text!r}")
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.02)
    raise AssertionError


answers: dict[str, bytes] = {}
late = 0
lock = threading.Lock()
ends = threading.Event()


def client(number: int) -> None:
    global late
    for count in itertools.count():
        if ends.is_set():
            return
        key = f"{number}-{count}"
        text, replayed, _tries = until_answered("/a/repeat/run", b"I", key)
        with lock:
            answers[key] = text
            late += replayed


start = int(until_answered("/a/repeat/run", b"R")[0]) if len(sys.argv) > 4 else 0
threads = [threading.Thread(target=client, args=(number,)) for number in range(6)]
for thread in threads:
    thread.start()
for _ in range(kills):
    before = len(answers)
    while len(answers) < before + 10:
        time.sleep(0.01)
    found = subprocess.run(["pgrep", "-P", supervisor, "-x", "s3nd"], capture_output=True, text=True, check=False)
    for pid in found.stdout.split()[:1]:
        os.kill(int(pid), signal.SIGKILL)
ends.set()
for thread in threads:
    thread.join()
end = int(until_answered("/a/repeat/run", b"R", "the end")[0])
sums = sorted(int(text) for text in answers.values())
if sums != list(range(start + 1, end + 1)):
    sys.exit(f"{len(sums)} keys, {len(set(sums))} sums, the counter says {end}, it began at {start}")
for key in list(answers)[-20:]:
    text, replayed, _tries = until_answered("/a/repeat/run", b"I", key)
    if text != answers[key] or not replayed:
        sys.exit(f"key {key} said {answers[key]!r}, and now {text!r}")
if int(until_answered("/a/repeat/run", b"R", "after the end")[0]) != end:
    sys.exit("a repetition was counted")
print(f"{len(answers)} keys over {kills} kills, {late} answered from what was kept")
