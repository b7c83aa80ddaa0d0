#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for secret values in whatever a node wrote.

canary.py search VALUES PATH...   each line of the file VALUES is a value in hexadecimal; prints every file below the
                                  paths that holds one: as it is, reversed, in hexadecimal, Base64 of either alphabet
                                  at any place in a longer text, percent-encoded, or with zeros between (UTF-16).
canary.py proxy LOG TARGET        a TCP proxy to HOST:PORT that writes all that passes to LOG; prints its port.
canary.py memory VALUES PID       the same search in the memory of this process and all below it, as root.
canary.py sink LOG               an HTTP server that takes everything and writes it to LOG; prints its port.
canary.py limits PID              whether this process and all below it can leave no core file; prints those that can."""
import base64
import http.server
import os
import re
import socket
import sys
import threading

PAGE = 4096
PART = 12  # so many bytes of a value in a row are a find


def forms(value: bytes):
    """What a value looks like: a part of it in each encoding, away from the edges that its neighbours change."""
    middle = value[len(value) // 2 - PART // 2:][:PART]
    yield "plain", middle
    yield "reversed", middle[::-1]
    yield "hexadecimal", middle.hex().encode()
    yield "HEXADECIMAL", middle.hex().upper().encode()
    yield "percent", "".join(f"%{byte:02x}" for byte in middle).encode()
    yield "PERCENT", "".join(f"%{byte:02X}" for byte in middle).encode()
    yield "UTF-16", b"\0".join(middle[i:i + 1] for i in range(len(middle)))
    for before in range(3):
        text = base64.b64encode(b"\0" * before + middle)
        text = text[4 if before else 0:-4]  # without what depends on the neighbours
        yield f"Base64 at {before}", text
        yield f"base64url at {before}", text.translate(bytes.maketrans(b"+/", b"-_"))


def files(paths):
    for path in paths:
        if os.path.isfile(path):
            yield path
        for folder, _, names in os.walk(path):
            for name in names:
                full = os.path.join(folder, name)
                if os.path.isfile(full) and not os.path.islink(full):
                    yield full


def search(values: str, paths) -> int:
    with open(values, encoding="ascii") as lines:
        wanted = [(number, *form) for number, line in enumerate(lines, 1) for form in forms(bytes.fromhex(line.strip()))]
    found, size, count = 0, 0, 0
    for path in files(paths):
        with open(path, "rb") as file:
            content = file.read()
        size += len(content)
        count += 1
        for number, name, text in wanted:
            if text in content:
                print(f"{path}: value {number}, {name}")
                found += 1
    print(f"{count} files, {size} bytes, {found} finds", file=sys.stderr)
    return 1 if found else 0


def resident(pid: int):
    """Where a process has memory: begin, end, name."""
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as file:
        place = None
        for line in file:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                begin, end = (int(part, 16) for part in words[0].split("-"))
                place = (begin, end, words[5] if len(words) > 5 else "") if "r" in words[1] else None
            elif words[0] == "Rss:" and place and words[1] != "0" and not place[2].startswith("[v"):
                yield place


def present(pid: int, begin: int, end: int):
    """Where pages of it are there, in pieces.  Touching others could wait for ever (userfaultfd)."""
    with open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap:
        for part in range(begin, end, PAGE << 18):
            pagemap.seek(part // PAGE * 8)
            flags = pagemap.read(min((end - part) // PAGE, 1 << 18) * 8)[7::8]
            for run in re.finditer(b"[\x40-\xff]{1,4096}", flags):  # bits 62 and 63: swapped out, there
                yield part + run.start() * PAGE, part + run.end() * PAGE


def memory(values: str, top: str) -> int:
    with open(values, encoding="ascii") as lines:
        wanted = [(number, value[len(value) // 2 - PART // 2:][:PART]) for number, value in
                  enumerate((bytes.fromhex(line.strip()) for line in lines), 1)]
    found, size, count = 0, 0, 0
    for pid in children(int(top)):
        try:
            with open(f"/proc/{pid}/mem", "rb", 0) as content, open(f"/proc/{pid}/comm", encoding="ascii") as name:
                program, places = name.read().strip(), [(*run, place) for begin, end, place in resident(pid) for run in present(pid, begin, end)]
                for at, stop, place in places:
                    content.seek(at)
                    try:
                        text = content.read(stop - at)
                    except OSError:
                        continue  # a device's
                    size += len(text)
                    for number, part in wanted:
                        if part in text:
                            print(f"{program} {pid}, {place or 'anonymous'}: value {number}")
                            found += 1
            count += 1
        except (FileNotFoundError, ProcessLookupError):
            pass  # it has ended
    print(f"{count} processes, {size >> 20} MiB, {found} finds", file=sys.stderr)
    return 1 if found or count < 3 else 0


def proxy(log: str, target: str) -> int:
    host, _, port = target.rpartition(":")
    listener = socket.create_server(("127.0.0.1", 0))
    record, lock = open(log, "ab", buffering=0), threading.Lock()

    def pump(source, sink):
        try:
            while data := source.recv(65536):
                with lock:
                    record.write(data)
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    print(listener.getsockname()[1], flush=True)
    while True:
        near, _ = listener.accept()
        far = socket.create_connection((host, int(port)))
        for ends in ((near, far), (far, near)):
            threading.Thread(target=pump, args=ends, daemon=True).start()


def sink(log: str) -> int:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            with open(log, "ab") as record:
                record.write(f"{self.requestline}\n{self.headers}".encode() + self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()


def children(pid: int):
    yield pid
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            for child in file.read().split():
                yield from children(int(child))
    except OSError:
        pass


def limits(pid: int) -> int:
    bad, count = 0, 0
    for process in children(pid):
        try:
            with open(f"/proc/{process}/limits", encoding="ascii") as file:
                line = next(line for line in file if line.startswith("Max core file size"))
            with open(f"/proc/{process}/comm", encoding="ascii") as file:
                name = file.read().strip()
        except OSError:
            continue
        count += 1
        if line.split()[4:6] != ["0", "0"]:
            print(f"{name}: {line.strip()}")
            bad += 1
    print(f"{count} processes", file=sys.stderr)
    return 1 if bad or count < 3 else 0


if __name__ == "__main__":
    verb, *arguments = sys.argv[1:]
    if verb == "search":
        sys.exit(search(arguments[0], arguments[1:]))
    sys.exit(limits(int(arguments[0])) if verb == "limits" else {"proxy": proxy, "sink": sink, "memory": memory}[verb](*arguments))
