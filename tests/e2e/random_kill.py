#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""random_kill.py URL SUPERVISOR ROUNDS SEED: adds to a counter from several clients while random processes of the node
are killed, and holds the node to its word: no answered increment lost, none doubled, no receipt without its state.

Every answered increment is a sum that nobody else got; the counter is at least the largest, and at most the answered
ones plus those whose answer never came.  Each answer's receipt is on the disk afterwards and names the revision that
the sum is: one commit, one increment."""
import base64
import http.client
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import threading
import time

url, supervisor, rounds, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
host, port = url.removeprefix("https://").rsplit(":", 1)
choice = random.Random(seed)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
CLIENTS = 6
STORED = 4096  # receipts that the node keeps on the disk


def request(method: str, path: str, body: bytes | None = None) -> tuple[int, bytes, str]:
    connection = http.client.HTTPSConnection(host, int(port), timeout=20, context=context)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("s3n-receipt") or ""
    finally:
        connection.close()


def claims_of(receipt: str) -> dict:
    text = receipt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


answered: list[tuple[int, str]] = []
failures = 0
lock = threading.Lock()
ends = threading.Event()


def client() -> None:
    global failures
    while not ends.is_set():
        try:
            status, body, receipt = request("POST", "/a/count/run", b"I")
        except (OSError, http.client.HTTPException):
            status, body, receipt = 0, b"", ""
        with lock:
            if status == 200:
                answered.append((int(body), receipt))
            elif status not in (409, 429):  # those say for certain that nothing happened
                failures += 1
        if status != 200:
            time.sleep(0.01)


def processes() -> dict[str, list[int]]:
    """Children of the supervisor, and theirs, by what they are."""
    found: dict[str, list[int]] = {}
    rows = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    table = [(int(row.split()[0]), int(row.split()[1]), row.split()[2]) for row in rows.splitlines()]
    family = {supervisor}
    for _ in range(3):
        family |= {pid for pid, parent, _name in table if parent in family}
    for pid, _parent, name in table:
        if pid in family and pid != supervisor:
            found.setdefault(name, []).append(pid)
    return found


def counter() -> int:
    for _ in range(400):
        try:
            status, body, _receipt = request("POST", "/a/count/run", b"R")
            if status == 200:
                return int(body)
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    sys.exit("the node does not answer any more")


start = counter()
threads = [threading.Thread(target=client, daemon=True) for _ in range(CLIENTS)]
for thread in threads:
    thread.start()
killed: dict[str, int] = {}
for _ in range(rounds):
    time.sleep(choice.random() * 0.4)
    found = processes()
    for _ in range(1200):
        if found:
            break
        time.sleep(0.05)  # keeper and server can both be gone, until the supervisor has started them again
        found = processes()
    if not found:
        sys.exit("the node has no processes")
    name = choice.choice(sorted(found))
    pid = choice.choice(found[name])
    try:
        os.kill(pid, signal.SIGKILL)
        killed[name] = killed.get(name, 0) + 1
    except ProcessLookupError:
        pass
    if name == "s3nd":
        before = len(answered)
        deadline = time.monotonic() + 20
        while len(answered) < before + 3 and time.monotonic() < deadline:
            time.sleep(0.02)
ends.set()
for thread in threads:
    thread.join()

end = counter()
sums = [number for number, _receipt in answered]
wrong = []
if len(set(sums)) != len(sums):
    wrong.append(f"{len(sums) - len(set(sums))} doubled")
if sums and end < max(sums):
    wrong.append(f"{max(sums) - end} lost")
if not len(sums) <= end - start <= len(sums) + failures:
    wrong.append(f"the counter went from {start} to {end}: {len(sums)} answered, {failures} without an answer")
stateless = missing = 0
last = {number for number in sums if number > end - STORED // 2}
for number, receipt in answered:
    claims = claims_of(receipt)
    if [use["name"] for use in claims["uses"]] != [f"revision:{number}"]:
        stateless += 1
    if number not in last:
        continue
    status, body, _receipt = request("GET", f"/.well-known/s3n/receipts/{claims['jti']}")
    if status != 200 or json.loads(body)["receipt"] != receipt:
        missing += 1
if stateless or missing:
    wrong.append(f"{stateless} receipts do not fit their state, {missing} are not on the disk")
print(f"{rounds} rounds ({', '.join(f'{name} {count}' for name, count in sorted(killed.items()))}): "
      f"{len(sums)} answered, {failures} without an answer, counter {end}")
for line in wrong:
    print("wrong:", line)
sys.exit(1 if wrong or not sums else 0)
