#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An issuer of web tokens on loopback, and its tokens; the openssl program makes keys and signatures.

  issuer.py serve FOLDER      prints the port; /A/.well-known/openid-configuration and /A/keys behave as A says: `good`
                              serves FOLDER/keys.json, `gate` does when FOLDER/open is there,
                              others lie, hang, redirect, flood or break off
  issuer.py key FOLDER KID    makes an RSA, an Ed25519 and a P-256 key, KID, KID-ed and KID-ec, and writes keys.json with them alone
  issuer.py token FOLDER KID ISSUER [NAME=JSON ...] [--header NAME=JSON ...] [--hs]
                              a token; --hs: signed by HMAC with the public key as its secret
"""
import base64
import gzip
import hashlib
import hmac
import http.server
import json
import os
import subprocess
import sys
import time


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_of(signature: bytes, size: int = 32) -> bytes:
    """r and s of an ECDSA signature in DER, of so many bytes each."""
    at, numbers = 2 if signature[1] < 128 else 3, b""
    for _ in range(2):
        length = signature[at + 1]
        numbers += int.from_bytes(signature[at + 2 : at + 2 + length], "big").to_bytes(size, "big")
        at += 2 + length
    return numbers


def key(folder: str, kid: str) -> None:
    rsa, edwards, curve = f"{folder}/{kid}.pem", f"{folder}/{kid}-ed.pem", f"{folder}/{kid}-ec.pem"
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", curve)
    place = openssl("pkey", "-in", curve, "-pubout", "-outform", "DER")[-64:]
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa)
    openssl("genpkey", "-algorithm", "ED25519", "-out", edwards)
    modulus = openssl("rsa", "-in", rsa, "-noout", "-modulus").decode().strip().partition("=")[2]
    point = openssl("pkey", "-in", edwards, "-pubout", "-outform", "DER")[-32:]
    keys = [{"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": encode(bytes.fromhex(modulus)), "e": "AQAB"},
            {"kty": "OKP", "crv": "Ed25519", "kid": f"{kid}-ed", "x": encode(point)},
            {"kty": "EC", "crv": "P-256", "kid": f"{kid}-ec", "x": encode(place[:32]), "y": encode(place[32:])}]
    with open(f"{folder}/keys.json", "w", encoding="utf-8") as file:
        json.dump({"keys": keys}, file)


def pairs(words: list[str]) -> dict:
    return {name: json.loads(value) for name, _, value in (word.partition("=") for word in words)}


def token(folder: str, kid: str, issuer: str, words: list[str]) -> str:
    uses_hmac = "--hs" in words
    words = [word for word in words if word != "--hs"]
    split = words.index("--header") if "--header" in words else len(words)
    now = int(time.time())
    claims = {"iss": issuer, "aud": "shop", "sub": "alice", "iat": now, "exp": now + 600, **pairs(words[:split])}
    header = {"typ": "JWT", "alg": {"-ed": "EdDSA", "-ec": "ES256"}.get(kid[-3:], "RS256"), "kid": kid, **pairs(words[split + 1:])}
    if uses_hmac:
        header["alg"] = "HS256"
    text = ".".join(encode(json.dumps(part).encode()) for part in (header, claims))
    if uses_hmac:
        public = openssl("pkey", "-in", f"{folder}/{kid}.pem", "-pubout")
        signature = hmac.new(public, text.encode(), hashlib.sha256).digest()
    elif kid.endswith("-ed"):
        path = f"{folder}/signed"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        signature = openssl("pkeyutl", "-sign", "-rawin", "-in", path, "-inkey", f"{folder}/{kid}.pem")
    else:
        signature = openssl("dgst", "-sha256", "-sign", f"{folder}/{kid}.pem", given=text.encode())
        signature = raw_of(signature) if kid.endswith("-ec") else signature
    return f"{text}.{encode(signature)}"


class Handler(http.server.BaseHTTPRequestHandler):
    folder = ""

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        with open(f"{self.folder}/asked", "a", encoding="utf-8") as file:
            file.write(self.path + "\n")

    def answer(self, status: int, body: bytes, *fields: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Length", str(len(body))), *fields):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def stream(self, head: bytes, part: bytes) -> None:
        """A head of its own, and the same part again until nobody listens."""
        self.wfile.write(head)
        try:
            while True:
                self.wfile.write(part)
        except OSError:
            self.close_connection = True

    def misbehave(self, way: str, keys: bytes) -> bool:
        """Answers below HTTP, or with a set that is none; false: not such a way."""
        head, listed = b"HTTP/1.1 200 OK\r\n", json.loads(keys)["keys"]
        one, first = listed[-1], listed[-1] | {"kid": "first"}
        streams = {"endless": (head + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4096 + b"\r\n"),
                   "fields": (head, b"X-A: b\r\n" * 100), "early": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n")}
        answers = {"tower": head + b"Content-Length: 10485760\r\n\r\n" + b" " * (10 << 20),
                   "middle": head + b"Content-Length: 100000\r\n\r\n" + keys, "old": keys, "reset": b"",
                   "packed": head + b"Content-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(keys + b" " * (100 << 20), 1)}
        sets = {"oct": [*listed, {"kty": "oct", "kid": "h", "alg": "HS256", "k": "AAAA"}], "twins": [*listed, one],
                "curve": [first | {"y": one["x"]}, *listed], "short": [first | {"x": one["x"][:-2]}, *listed], "deep": "deep",
                "others": [first | {"use": "enc"}, first | {"crv": "P-384"}, first | {"alg": "ES384"}, {"kty": "EC"}], "text": [*listed, first | {"kid": 7}]}
        if way in streams:
            self.stream(*streams[way])
        elif way in answers:
            self.wfile.write(answers[way])
        elif way in sets:
            self.answer(200, json.dumps({"keys": sets[way]}).encode().replace(b'"deep"', b"[" * 100000 + b"]" * 100000))
        elif way in ("moved", "metadata"):
            self.answer(308 if way == "moved" else 307, b"", ("Location", "/good/keys" if way == "moved" else "http://169.254.169.254/latest/meta-data/"))
        else:
            return False
        self.close_connection = True
        return True

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        way = self.path.split("/")[1]
        base = f"http://{self.headers['Host']}/{way}"
        with open(f"{self.folder}/keys.json", "rb") as file:
            keys = file.read()
        if self.misbehave(way, keys):
            return
        if way == "hang":
            time.sleep(3600)
        elif way == "gate":
            while not os.path.exists(f"{self.folder}/open"):
                time.sleep(0.02)
            self.answer(200, keys)
        elif way == "redirect":
            self.answer(302, b"", ("Location", f"http://{self.headers['Host']}/good/keys"))
        elif way == "flood":
            self.answer(200, b'{"keys":[' + b" " * (8 << 20) + keys[9:])
        elif way == "html":
            self.answer(200, b"<html>sign in here</html>")
        elif way == "broken":
            self.answer(500, keys)
        elif way == "cut":
            self.answer(200, keys[:-1])
        elif way == "secret":
            self.answer(200, keys.replace(b'"use": "sig"', b'"d": "AAAA"'))
        elif self.path.endswith("/openid-configuration"):
            issuer = base if way == "good" else base + "/else"
            self.answer(200, json.dumps({"issuer": issuer, "jwks_uri": base + "/keys"}).encode())
        else:
            self.answer(200, keys)


def serve(folder: str) -> None:
    Handler.folder = folder
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with open(f"{folder}/port.new", "w", encoding="utf-8") as file:
        file.write(str(server.server_address[1]))
    os.rename(f"{folder}/port.new", f"{folder}/port")
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    elif sys.argv[1] == "key":
        key(sys.argv[2], sys.argv[3])
    else:
        print(token(sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:]))
