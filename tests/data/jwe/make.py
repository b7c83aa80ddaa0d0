#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the cases of this folder that are not RFC 7520's: messages as Trustee makes them and as it
made them before, encrypted here with the `cryptography` package and nothing of S3N's."""
import base64
import hashlib
import json
import os
import struct
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

PLAIN = b"this is the resource"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(value, size):
    return b64(value.to_bytes(size, "big"))


def sized(data):
    return struct.pack(">I", len(data)) + data


def concat_kdf(shared, algorithm, size, apu=b"", apv=b""):
    return hashlib.sha256(struct.pack(">I", 1) + shared + sized(algorithm.encode()) + sized(apu) +
                          sized(apv) + struct.pack(">I", size * 8)).digest()[:size]


def flattened(header, wrapped, key, aad=None, plain=PLAIN):
    """aad: None, "trustee" (the protected header repeated) or text for RFC 7516's member."""
    protected = b64(json.dumps(header, separators=(",", ":")).encode())
    iv = os.urandom(12)
    message = {"protected": protected, "encrypted_key": b64(wrapped), "iv": b64(iv)}
    associated = protected
    if aad == "trustee":
        message["aad"] = protected
    elif aad is not None:
        message["aad"] = b64(aad.encode())
        associated += "." + message["aad"]
    sealed = AESGCM(key).encrypt(iv, plain, associated.encode())
    message["ciphertext"], message["tag"] = b64(sealed[:-16]), b64(sealed[-16:])
    return message


def to_ec(public, crv, size, parties=False, key_size=32, **more):
    ephemeral = ec.generate_private_key(public.curve)
    numbers = ephemeral.public_key().public_numbers()
    header = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM" if key_size == 32 else "A128GCM",
              "epk": {"crv": crv, "kty": "EC", "x": number(numbers.x, size), "y": number(numbers.y, size)}}
    apu, apv = (b"Alice", b"Bob") if parties else (b"", b"")
    if parties:
        header["apu"], header["apv"] = b64(apu), b64(apv)
    wrapping = concat_kdf(ephemeral.exchange(ec.ECDH(), public), "ECDH-ES+A256KW", 32, apu, apv)
    key = os.urandom(key_size)
    return flattened(header, aes_key_wrap(wrapping, key), key, **more)


def to_rsa(public, **more):
    key = os.urandom(32)
    pad = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return flattened({"alg": "RSA-OAEP-256", "enc": "A256GCM"}, public.encrypt(key, pad), key, **more)


def write(name, message):
    with open(name, "w") as target:
        target.write(json.dumps(message))


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    keys = {"p256": ec.generate_private_key(ec.SECP256R1()), "p521": ec.generate_private_key(ec.SECP521R1()),
            "rsa": rsa.generate_private_key(65537, 2048)}
    for name, key in keys.items():
        with open(name + ".pem", "wb") as target:
            target.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))
    p256 = keys["p256"].public_key()
    write("p256.json", to_ec(p256, "P-256", 32))
    write("p256_parties.json", to_ec(p256, "P-256", 32, parties=True))
    write("p256_aad.json", to_ec(p256, "P-256", 32, aad="more"))
    write("p256_trustee_aad.json", to_ec(p256, "P-256", 32, aad="trustee"))
    write("p256_short_key.json", to_ec(p256, "P-256", 32, key_size=16))
    write("p256_empty.json", to_ec(p256, "P-256", 32, plain=b""))
    write("p521.json", to_ec(keys["p521"].public_key(), "P-521", 66))
    write("rsa.json", to_rsa(keys["rsa"].public_key()))


if __name__ == "__main__":
    main()
