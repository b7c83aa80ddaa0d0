#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Signs a request by RFC 9421 with a P-256 key, independently of S3N's own code (the openssl program signs).

  sign.py KEY.pem METHOD URL [--body FILE] [--age SECONDS] [--nonce HEX]

Prints header lines for curl's -H @file.
"""
import argparse
import base64
import hashlib
import os
import subprocess
import time


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, stdout=subprocess.PIPE, check=True).stdout


def raw_signature(der: bytes) -> bytes:
    """r and s of SEQUENCE { INTEGER r, INTEGER s }, 32 bytes each."""
    def integer(at: int) -> tuple[bytes, int]:
        size = der[at + 1]
        return der[at + 2:at + 2 + size].lstrip(b"\0").rjust(32, b"\0"), at + 2 + size
    r, at = integer(2)
    s, _ = integer(at)
    return r + s


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("key")
    parser.add_argument("method")
    parser.add_argument("url")
    parser.add_argument("--body")
    parser.add_argument("--age", type=int, default=0)
    parser.add_argument("--nonce", default=os.urandom(16).hex())
    given = parser.parse_args()
    key_id = hashlib.sha256(openssl("pkey", "-in", given.key, "-pubout", "-outform", "DER")).hexdigest()
    lines = [("@method", given.method), ("@target-uri", given.url)]
    if given.body is not None:
        with open(given.body, "rb") as file:
            digest = base64.b64encode(hashlib.sha256(file.read()).digest()).decode()
        lines.append(("content-digest", f"sha-256=:{digest}:"))
        print(f"Content-Digest: sha-256=:{digest}:")
    covered = " ".join(f'"{name}"' for name, _ in lines)
    parameters = (f'({covered});created={int(time.time()) - given.age};nonce="{given.nonce}"'
                  f';keyid="{key_id}";alg="ecdsa-p256-sha256"')
    base = "".join(f'"{name}": {value}\n' for name, value in lines) + f'"@signature-params": {parameters}'
    der = openssl("dgst", "-sha256", "-sign", given.key, given=base.encode())
    print(f"Signature-Input: s3n={parameters}")
    print(f"Signature: s3n=:{base64.b64encode(raw_signature(der)).decode()}:")


main()
