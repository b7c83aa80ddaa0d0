#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Servers for the test of outbound requests: certificates, a name server, and a web server that means no good.

  tests/e2e/outbound_servers.py FOLDER

Makes root.pem, good.pem, good.key, ... in FOLDER, listens on free ports of 127.0.0.1, prints "NAME PORT" lines and
"ready", and serves until its standard input ends.
"""
import datetime
import gzip
import os
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
import warnings
import zlib

import outbound_lies as lies
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

warnings.simplefilter("ignore", DeprecationWarning)  # old versions of TLS are what it is about
NOW = datetime.datetime.utcnow()
DAY = datetime.timedelta(days=1)
# 100 MB of zeros, by brotli -q 11 -w 24.
BROTLI_BOMB = bytes.fromhex("cfffff7ff82700e2b14020f7fe9ffffffff04f00c4610180eefd3fffffffe19f0088c32200ddfb7ffeffffc33f0110870500baf7fffcffff877f02200e0b0074effff31fbc1eff04401c1600e862d703")
asked = {}  # name -> questions for A
busy = {"now": 0, "most": 0}  # requests for /slow
lock = threading.Lock()


def certificate(folder, name, host, issuer=None, begin=NOW - DAY, end=NOW + 30 * DAY, is_root=False):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer, signer_name = (issuer[0], issuer[1]) if issuer else (key, subject)
    builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(signer_name).public_key(key.public_key())
               .serial_number(x509.random_serial_number()).not_valid_before(begin).not_valid_after(end)
               .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True))
    if not is_root:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    made = builder.sign(signer, hashes.SHA256())
    with open(os.path.join(folder, name + ".pem"), "wb") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
    with open(os.path.join(folder, name + ".key"), "wb") as file:
        file.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption()))
    return key, subject


# --- names

def addresses(name):
    if name == "turns.other.test":
        return "127.0.0.1" if asked[name] == 1 else "169.254.169.254"
    if name == "metadata.other.test":
        return "169.254.169.254"
    if name == "private.other.test":
        return "10.0.0.1"
    return "127.0.0.1" if name.endswith(".test") else None


def question_of(message):
    """The name's labels, the kind that is asked for, and the question as it came."""
    at, labels = 12, []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode())
        at += 1 + message[at]
    return labels, struct.unpack(">H", message[at + 1:at + 3])[0], message[12:at + 5]


class NamesOverTcp(socketserver.StreamRequestHandler):
    def handle(self):
        message = self.rfile.read(struct.unpack(">H", self.rfile.read(2))[0])
        labels, kind, question = question_of(message)
        self.wfile.write(lies.by_tcp(labels[0] if kind == 1 else "cut", message, question))


class Names(socketserver.BaseRequestHandler):
    def handle(self):
        message, sender = self.request
        labels, kind, question = question_of(message)
        if labels[1:] == ["lies", "other", "test"]:
            sender.sendto(lies.response(labels[0], kind, message, question), self.client_address)
            return
        name = ".".join(labels)
        if kind == 1:
            asked[name] = asked.get(name, 0) + 1
        address = addresses(name) if name in asked or kind != 1 else None
        records = b""
        if kind == 1 and address:
            records = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + socket.inet_aton(address)
        head = struct.pack(">2sHHHHH", message[:2], 0x8180 if address else 0x8183, 1, 1 if records else 0, 0, 0)
        sender.sendto(head + question + records, self.client_address)


# --- pages

def plain(body, *fields, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def bomb(bits=31):
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()


# Made once: what costs their maker time costs none of whoever asks.
GZIP_BOMB, DEFLATE_BOMB = bomb(), bomb(15)
LAYERS = gzip.compress(GZIP_BOMB)


class Pages(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            self.answer()
        except OSError:
            pass  # who asked has gone

    def answer(self):
        line = self.rfile.readline().decode("latin-1").split()
        size = 0
        fields = {}
        while (field := self.rfile.readline().decode("latin-1").strip()):
            name, _, value = field.partition(":")
            fields[name.lower()] = value.strip()
        size = int(fields.get("content-length", "0"))
        body = self.rfile.read(size)
        if len(line) < 2:
            return
        method, path = line[0], line[1]
        if path.startswith("/hang"):
            print("asked", path, flush=True)
            time.sleep(60)
        elif path == "/slow":
            with lock:
                busy["now"] += 1
                busy["most"] = max(busy["most"], busy["now"])
            time.sleep(0.2)
            with lock:
                busy["now"] -= 1
            self.wfile.write(plain(b"slow"))
        elif path == "/most":
            self.wfile.write(plain(str(busy["most"]).encode()))
        elif path.startswith("/echo"):
            shown = f"{method} {fields.get('authorization', '-')} {fields.get('x-api-key', '-')} ".encode()
            self.wfile.write(plain(shown + body, "Content-Type: text/plain"))
        elif path == "/large":
            self.wfile.write(plain(b"l" * 2_500_000))
        elif path == "/too-large":
            self.wfile.write(plain(b"l" * 3_200_000))
        elif path == "/gzip":
            self.wfile.write(plain(GZIP_BOMB, "Content-Encoding: gzip"))
        elif path == "/deflate":
            self.wfile.write(plain(DEFLATE_BOMB, "Content-Encoding: deflate"))
        elif path == "/layers":
            self.wfile.write(plain(LAYERS, "Content-Encoding: gzip, gzip"))
        elif path == "/many-layers":
            body = b"deep"
            for _ in range(40):
                body = gzip.compress(body)
            self.wfile.write(plain(body, "Content-Encoding: " + ", ".join(["gzip"] * 40)))
        elif path == "/drip":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                self.wfile.write(b"x")
                time.sleep(0.02)
        elif path == "/brotli":
            self.wfile.write(plain(BROTLI_BOMB, "Content-Encoding: br"))
        elif path == "/metadata":
            self.wfile.write(plain(b"", "Location: http://169.254.169.254/latest/", status="302 Found"))
        elif path.startswith("/to/"):
            self.wfile.write(plain(b"", "Location: " + path[4:], status="307 Moved"))
        elif path == "/endless":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                self.wfile.write(b"X-Filler: " + b"y" * 1000 + b"\r\n")
        else:
            self.wfile.write(plain(b"no such page", status="404 Not Found"))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True


def serve(name, server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(name, server.server_address[1], flush=True)


def serve_tls(name, folder, pair, old=False):
    server = Server(("127.0.0.1", 0), Pages)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, pair + ".pem"), os.path.join(folder, pair + ".key"))
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    # The handshake belongs to the connection's own thread.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    serve(name, server)


def main():
    folder = sys.argv[1]
    root = certificate(folder, "root", "", is_root=True)
    certificate(folder, "good", "good.test", root)
    certificate(folder, "wrong", "other.test", root)
    certificate(folder, "expired", "expired.test", root, NOW - 30 * DAY, NOW - DAY)
    certificate(folder, "early", "early.test", root, NOW + DAY)
    certificate(folder, "alone", "alone.test")
    certificate(folder, "old", "old.test", root)
    names = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names)
    serve("dns", names)
    serve("dns-tcp", Server(names.server_address, NamesOverTcp))
    serve("http", Server(("127.0.0.1", 0), Pages))
    for name in ("wrong", "expired", "early", "alone", "old"):
        serve_tls(name, folder, name, old=name == "old")
    print("ready", flush=True)
    sys.stdin.read()


main()
