#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""native.py S3N COMMANDS ANSWERS: runs the native command with each list of words in COMMANDS (JSON), two at a time, and writes
[exit code, stdout, stderr] of each to ANSWERS."""
import concurrent.futures
import json
import subprocess
import sys


def run(words):
    done = subprocess.run([sys.argv[1]] + words, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    return [done.returncode, done.stdout.decode(), done.stderr.decode()]


with open(sys.argv[2], encoding="utf-8") as file:
    commands = json.load(file)
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    answers = list(pool.map(run, commands))
with open(sys.argv[3], "w", encoding="utf-8") as file:
    json.dump(answers, file)
