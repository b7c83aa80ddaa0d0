#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# wire.py HOST:PORT PATH SIZE: posts SIZE bytes over HTTP/1.1 and TLS, and prints what somebody on the wire sees of the
# answer (its bytes, and milliseconds until it began), then the status and S3N-Duration-Us.
import socket
import ssl
import sys
import time

address, path, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
host, port = address.rsplit(":", 1)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
connection = socket.create_connection((host, int(port)), timeout=30)
seen = 0


def step(action):
    """Repeats an action of the session until it is through; counts what comes in meanwhile."""
    global seen
    while True:
        try:
            result = action()
            connection.sendall(outgoing.read())
            return result
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            received = connection.recv(65536)
            if not received:
                incoming.write_eof()
            seen += len(received)
            incoming.write(received)


step(session.do_handshake)
request = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {size}\r\n\r\n".encode() + b"x" * size
step(lambda: session.write(request))
# Session tickets come with the first answer: two requests, the second is the one that counts.
for _ in range(2):
    begun, answer, before, first = time.monotonic(), b"", seen, None
    if _ == 1:
        step(lambda: session.write(request))
    while True:
        answer += step(lambda: session.read(65536))
        first = first or (time.monotonic() - begun) * 1000
        head, separator, body = answer.partition(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        if separator and len(body) == int(fields[b"content-length"]):
            break
    # what was padded comes in records that are complete when the answer is
    wire = seen - before
print(wire, int(first), head.split()[1].decode(), fields.get(b"s3n-duration-us", b"-").decode())
