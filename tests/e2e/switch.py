#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests at a steady rate while somebody switches versions, and what came of them.

  switch.py URL CERTIFICATE SECONDS RATE NUMBER=TEXT...

Every answer must be 200, hold the text of exactly one version, and its receipt must name that version's number.  Prints
one line of JSON: asked, failed, mixed, and how many answers each version gave.
"""
import base64
import http.client
import json
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit

THREADS = 10


class Tally:
    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts
        self.lock = threading.Lock()
        self.asked = self.failed = self.mixed = 0
        self.by_version = {number: 0 for number in texts}
        self.reasons: list[str] = []

    def take(self, status: int, body: str, receipt: str) -> None:
        with self.lock:
            self.asked += 1
            if status != 200:
                self.failed += 1
                self.reasons.append(f"{status} {body[:200]}")
                return
            claims = json.loads(base64.urlsafe_b64decode(receipt.split(".")[1] + "=="))
            number = str(claims["release"]["number"])
            spoken = [known for known, text in self.texts.items() if text in body]
            if spoken != [number]:
                self.mixed += 1
                self.reasons.append(f"receipt of {number}, text of {spoken}")
            else:
                self.by_version[number] += 1

    def fail(self, reason: str) -> None:
        with self.lock:
            self.asked += 1
            self.failed += 1
            self.reasons.append(reason)


def ask(url: str, certificate: str, until: float, pause: float, tally: Tally) -> None:
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=certificate)
    connection = http.client.HTTPSConnection(parts.netloc, timeout=20, context=context)
    due = time.monotonic()
    while due < until:
        time.sleep(max(0.0, due - time.monotonic()))
        due += pause
        try:
            connection.request("GET", parts.path)
            answer = connection.getresponse()
            tally.take(answer.status, answer.read().decode(errors="replace"), answer.headers.get("S3N-Receipt", ""))
        except (OSError, http.client.HTTPException, ValueError, KeyError, IndexError) as error:
            tally.fail(repr(error))
            connection.close()


def main() -> None:
    url, certificate, seconds, rate = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
    tally = Tally(dict(argument.split("=", 1) for argument in sys.argv[5:]))
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=ask, args=(url, certificate, until, THREADS / rate, tally)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"asked": tally.asked, "failed": tally.failed, "mixed": tally.mixed,
                      "by_version": tally.by_version, "reasons": tally.reasons[:5]}))


main()
