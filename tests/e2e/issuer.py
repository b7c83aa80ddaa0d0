#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An issuer of web tokens on loopback, and its tokens; the openssl program makes keys and signatures.

  issuer.py serve FOLDER      prints the port; /A/.well-known/openid-configuration and /A/keys behave as A says: `good`
                              serves FOLDER/keys.json, `gate` does when FOLDER/open is there,
                              others lie, hang, redirect, flood or break off
  issuer.py key FOLDER KID    makes an RSA and an Ed25519 key, KID and KID-ed, and writes keys.json with them alone
  issuer.py token FOLDER KID ISSUER [NAME=JSON ...] [--header NAME=JSON ...] [--hs]
                              a token; --hs: signed by HMAC with the public key as its secret
"""
import base64
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


def key(folder: str, kid: str) -> None:
    rsa, edwards = f"{folder}/{kid}.pem", f"{folder}/{kid}-ed.pem"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", rsa)
    openssl("genpkey", "-algorithm", "ED25519", "-out", edwards)
    modulus = openssl("rsa", "-in", rsa, "-noout", "-modulus").decode().strip().partition("=")[2]
    point = openssl("pkey", "-in", edwards, "-pubout", "-outform", "DER")[-32:]
    keys = [{"kty": "RSA", "kid": kid, "use": "sig", "alg": "RS256", "n": encode(bytes.fromhex(modulus)), "e": "AQAB"},
            {"kty": "OKP", "crv": "Ed25519", "kid": f"{kid}-ed", "x": encode(point)}]
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
    header = {"typ": "JWT", "alg": "EdDSA" if kid.endswith("-ed") else "RS256", "kid": kid, **pairs(words[split + 1:])}
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

    def do_GET(self) -> None:  # pylint: disable=invalid-name
        way = self.path.split("/")[1]
        base = f"http://{self.headers['Host']}/{way}"
        with open(f"{self.folder}/keys.json", "rb") as file:
            keys = file.read()
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
