#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A key broker for tests, written from kbs/docs/kbs_attestation_protocol.md of confidential-containers/trustee: it hands
out challenges with a session cookie, checks evidence and what it binds, and encrypts the resource to the attested key.
Evidence is judged by `s3n verify evidence`; all else here is Python's `ssl` and `cryptography`.

    broker.py --cert F --key F --root F --secret F --collateral DIR [--protocol V] [--port-file F]

The first line of the file --mode, read at each request, is a fault to make: nonce, otherkey, garbage, endless, hang,
redirect, expired, deny, missing, alg, plain, compressed, cookie, sha256, sha512."""
import argparse
import base64
import hashlib
import http.server
import json
import os
import re
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "jwe"))
import make as jwe  # the same messages as the vectors'
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CURVES = {"P-256": (ec.SECP256R1(), 32), "P-521": (ec.SECP521R1(), 66)}
SESSIONS = {}
OPTIONS = None


class Refusal(Exception):
    def __init__(self, status, kind, detail):
        super().__init__(detail)
        self.status, self.kind, self.detail = status, kind, detail


def mode():
    try:
        with open(OPTIONS.mode) as source:
            return source.readline().strip()
    except FileNotFoundError:
        return ""


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def canonical(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def report_data_of(session, key):
    runtime = {"nonce": session["nonce"], "tee-pubkey": key}
    if OPTIONS.protocol == "0.4.0":
        runtime["additional-evidence"] = ""
    digest = hashlib.new(session["hash"], canonical(runtime)).digest()
    return digest + bytes(64 - len(digest))


def judge(evidence, tee, expected):
    """The policy: the development root that was given to us, and exactly this report data."""
    if tee == "sample":
        if not OPTIONS.allow_sample:
            raise Refusal(401, "AttestationError", "the sample attester is not trusted here")
        if base64.b64decode(evidence["report_data"]) != expected[:len(base64.b64decode(evidence["report_data"]))]:
            raise Refusal(401, "AttestationError", "report data does not match")
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(base64.b64decode(evidence["quote"], validate=True))
        file.flush()
        command = ["s3n", "verify", "evidence", file.name, "--tee", tee, "--root", OPTIONS.root, "--policy", "none",
                   "--trust-simulated", "--report-data", expected.hex()] + OPTIONS.collateral
        done = subprocess.run(command, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            print(done.stdout, done.stderr, file=sys.stderr)
            raise Refusal(401, "AttestationError", "the evidence is not accepted")


def encrypt(key, plain, fault):
    if fault == "otherkey":
        other = ec.generate_private_key(ec.SECP256R1()).public_key()
        return jwe.to_ec(other, "P-256", 32, plain=plain)
    if key["kty"] == "RSA":
        assert key["alg"] == "RSA-OAEP-256"
        return jwe.to_rsa(rsa.RSAPublicNumbers(number(key["e"]), number(key["n"])).public_key(), plain=plain)
    assert key["alg"] == "ECDH-ES+A256KW"
    curve, size = CURVES[key["crv"]]
    public = ec.EllipticCurvePublicNumbers(number(key["x"]), number(key["y"]), curve).public_key()
    return jwe.to_ec(public, key["crv"], size, plain=plain,
                     aad="trustee" if OPTIONS.protocol == "0.2.0" else None)


def spoil(message, fault):
    header = json.loads(base64.urlsafe_b64decode(message["protected"] + "=="))
    if fault == "alg":
        header["alg"] = "dir"
    elif fault == "compressed":
        header["zip"] = "DEF"
    else:
        return message
    return {**message, "protected": jwe.b64(json.dumps(header).encode())}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, cookie=None, **fields):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        if cookie is not None:
            self.send_header("set-cookie", f"kbs-session-id={cookie}; Expires=Fri, 01 Jan 2100 00:00:00 GMT")
        for name, value in fields.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def session(self):
        found = re.search(r"kbs-session-id=([0-9a-f]+)", self.headers.get("cookie", ""))
        if found is None or found[1] not in SESSIONS:
            raise Refusal(401, "TokenNotFound", "no session")
        return found[1], SESSIONS[found[1]]

    def auth(self, request, fault):
        if request["version"] != OPTIONS.protocol:
            raise Refusal(401, "AttestationError",
                          f"KBS Client Protocol Version Mismatch: expect ={OPTIONS.protocol}")
        identity = uuid.uuid4().hex
        chosen = fault if fault in ("sha256", "sha512") else "sha384"
        session = {"nonce": base64.b64encode(os.urandom(32)).decode(), "tee": request["tee"], "hash": chosen}
        SESSIONS[identity] = session
        extra = {"selected-hash-algorithm": chosen} if OPTIONS.protocol == "0.4.0" else ""
        shown = base64.b64encode(os.urandom(32)).decode() if fault == "nonce" else session["nonce"]
        self.answer(200, {"nonce": shown, "extra-params": extra},
                    cookie="x" * 600 if fault == "cookie" else identity)

    def attest(self, request, fault):
        identity, session = self.session()
        if OPTIONS.protocol == "0.4.0":
            key, sent = request["runtime-data"]["tee-pubkey"], request["runtime-data"]["nonce"]
            if sent != session["nonce"]:
                raise Refusal(401, "AttestationError", "the nonce is another session's")
            evidence = request["tee-evidence"]["primary_evidence"]
        else:
            key, evidence = request["tee-pubkey"], request["tee-evidence"]
        judge(evidence, session["tee"], report_data_of(session, key))
        session["key"] = key
        expires = int(time.time()) + (-60 if fault == "expired" else 300)
        claims = jwe.b64(json.dumps({"exp": expires, "tee-pubkey": key}).encode())
        self.answer(200, {"token": f"{jwe.b64(b'{}')}.{claims}.{jwe.b64(b'unsigned')}"}, cookie=identity)

    def resource(self, fault):
        _, session = self.session()
        if "key" not in session:
            raise Refusal(401, "TokenNotFound", "not attested")
        if fault == "deny":
            raise Refusal(403, "PolicyDeny", "the policy says no")
        if self.path != "/kbs/v0/resource/" + OPTIONS.resource or fault == "missing":
            raise Refusal(404, "PluginNotFound", "no such resource")
        with open(OPTIONS.secret, "rb") as source:
            plain = source.read()
        if fault == "plain":
            self.answer(200, plain)
        else:
            self.answer(200, spoil(encrypt(session["key"], plain, fault), fault))

    def faulty(self, fault):
        if fault == "garbage":
            self.answer(200, os.urandom(4000))
        elif fault == "redirect":
            self.answer(302, {}, Location="https://127.0.0.1:1/")
        elif fault == "hang":
            time.sleep(60)
        elif fault == "endless":
            self.send_response(200)
            self.send_header("connection", "close")
            self.end_headers()
            self.close_connection = True
            try:
                while True:
                    self.wfile.write(b'{"nonce":"' + b"A" * 65536)
            except OSError:
                pass
        else:
            return False
        return True

    def handle_one(self, work):
        fault = mode()
        where = "resource" if self.path.startswith("/kbs/v0/resource/") else self.path.rsplit("/", 1)[-1]
        if ":" in fault:  # garbage:resource: only there
            fault, only = fault.split(":")
            fault = fault if only == where else ""
        try:
            if not self.faulty(fault):
                work(fault)
        except Refusal as refusal:
            self.answer(refusal.status, {"detail": refusal.detail,
                                         "type": "https://github.com/confidential-containers/kbs/errors/" + refusal.kind})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        work = {"/kbs/v0/auth": self.auth, "/kbs/v0/attest": self.attest}[self.path]
        self.handle_one(lambda fault: work(body, fault))

    def do_GET(self):
        self.handle_one(self.resource)


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    for name in ("cert", "key", "root", "secret", "mode", "port-file"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--resource", default="default/s3n/root")
    parser.add_argument("--protocol", default="0.4.0")
    parser.add_argument("--allow-sample", action="store_true")
    parser.add_argument("--collateral", required=True, help="folder with what evidence is judged by")
    OPTIONS = parser.parse_args()
    OPTIONS.collateral = [word for name in ("tcb-info", "qe-identity", "tcb-chain", "pck-crl", "root-crl")
                          for word in ("--" + name, os.path.join(OPTIONS.collateral, name))]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(OPTIONS.cert, OPTIONS.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with open(OPTIONS.port_file + ".new", "w") as target:
        target.write(str(server.server_address[1]))
    os.rename(OPTIONS.port_file + ".new", OPTIONS.port_file)
    server.serve_forever()


main()
