#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Web tokens that somebody made who has no key of the issuer's, or that are no tokens.

  forged.py FOLDER KID ISSUER       lines of name, part of the reason and token, by tabs; the reason of
                                    those that hold is "-".  KID is an EC key of issuer.py.
"""
import base64
import hashlib
import hmac
import json
import sys
import time

import issuer

N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
folder, kid, name = sys.argv[1:]
path = f"{folder}/{kid}.pem"
now = int(time.time())
claims = {"iss": name, "aud": "shop", "sub": "alice", "exp": now + 600}
header = {"alg": "ES256", "kid": kid}


def encode(part: object) -> str:
    return issuer.encode(part if isinstance(part, bytes) else part.encode() if isinstance(part, str) else json.dumps(part).encode())


def sign(text: str, key: str = path, size: int = 32) -> bytes:
    return issuer.raw_of(issuer.openssl("dgst", "-sha256", "-sign", key, given=text.encode()), size)


def say(what: str, reason: str, token: str) -> None:
    print(what, reason, token, sep="\t")


def text_of(head: object = None, body: object = None) -> str:
    return encode(header if head is None else head) + "." + encode(claims if body is None else body)


def signed(what: str, reason: str, head: object = None, body: object = None) -> None:
    text = text_of(head, body)
    say(what, reason, f"{text}.{encode(sign(text))}")


def more(**members: object) -> dict:
    return {**header, **members}


def said(**members: object) -> dict:
    return {**claims, **members}


def numbers(r: int, s: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


good, plain = sign(text_of()), text_of()
der = issuer.openssl("dgst", "-sha256", "-sign", path, given=plain.encode())
r, s = int.from_bytes(good[:32], "big"), int.from_bytes(good[32:], "big")
signed("as it should be", "-")
say("the other s of the same signature", "-", f"{plain}.{encode(numbers(r, N - s))}")
signed("claims that nobody asks for", "-", None, said(jti="1", nested={"a": [1, {"b": None}]}, exp=now + 600.5))
signed("several audiences", "-", None, said(aud=["other", "shop"]))

# --- signatures
for what, value in (
    ("DER", der), ("r and s of zero", bytes(64)), ("r of zero", numbers(0, s)), ("s of zero", numbers(r, 0)),
    ("r of n", numbers(N, s)), ("s of n", numbers(r, N)), ("s + n", numbers(r, s + N) if s + N < 1 << 256 else numbers(r, (1 << 256) - 1)),
    ("all ones", b"\xff" * 64), ("r and s exchanged", good[32:] + good[:32]), ("r twice", good[:32] * 2), ("cut", good[:-1]),
    ("a byte more", good + b"\0"), ("with zeros before", b"\0" + good[:32] + b"\0" + good[32:]), ("none", b""), ("of one byte", b"\0"),
):
    say(f"signature: {what}", "signature", f"{plain}.{encode(value)}")
last = encode(good)[-1]
alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
say("signature: bits behind its end", "base64url", f"{plain}.{encode(good)[:-1]}{alphabet[alphabet.index(last) | 1]}")
say("signature: the other alphabet", "base64url", f"{plain}.{base64.b64encode(b'+/' + bytes([0xfb] * 62)).decode().rstrip('=')}")
say("signature: with its padding", "base64url", f"{plain}.{encode(good)}==")
say("of other claims", "signature", f"{text_of(None, said(sub='root'))}.{encode(good)}")
for curve in ("secp384r1", "secp256k1"):
    other = f"{folder}/{curve}.pem"
    issuer.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", other)
    say(f"signed on {curve}", "signature", f"{plain}.{encode(sign(plain, other, 48 if '384' in curve else 32))}")

# --- algorithms
for value in ("none", "None", "nOnE", "", "es256", "ES256 ", "ES256\x00", "ES384", "ES512", "ES256K", "HS256", "PS256", "RSA1_5", None, 0, [], ["ES256"], {"ES256": 1}):
    signed(f"alg {json.dumps(value)}", "`alg`" if value != "ES256\x00" else "header", more(alg=value))
    if value in ("none", "None", ""):
        say(f"alg {json.dumps(value)} and no signature", "`alg`", text_of(more(alg=value)) + ".")
signed("no alg", "`alg`", {"kid": kid})
signed("alg of another key of the set", "does not accept", more(alg="EdDSA"))
public = issuer.openssl("pkey", "-in", path, "-pubout")
whole = issuer.openssl("pkey", "-in", path, "-pubout", "-outform", "DER")
for what, secret in (("PEM", public), ("PEM without its line's end", public.strip()), ("DER", whole), ("point", whole[-65:]), ("x", whole[-64:-32]), ("nothing", b""), ("kid", kid.encode())):
    text = text_of(more(alg="HS256"))
    say(f"HS256 with the key's {what}", "`alg`", f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}")

# --- which key
for value in ("", 7, [], [kid], {}, None, "k" * 129):
    signed(f"kid {json.dumps(value)[:20]}", "`kid`", more(kid=value))
for value in ("../../../../etc/passwd", "/dev/null", "' OR '1'='1", "one", f"{kid} ", f"{kid}\n", f"{kid}|true", "\u202e", kid.upper(), f"http://{name}/keys", "$(id)", "%00"):
    signed(f"kid {json.dumps(value)}", "key is none", more(kid=value))
signed("kid with NUL", "header", more(kid=f"{kid}\0x"))

# --- what must be understood
for members in ({"crit": []}, {"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"b64": False}, {"b64": True}, {"crit": None}, {"zip": "DEF"}, {"x5u": "https://a.example"},
                {"x5c": []}, {"jwk": None}, {"jku": name}):
    signed(f"header with {json.dumps(members)}", "not looked at here", more(**members))
signed("unencoded, and signed so", "not looked at here", more(b64=False, crit=["b64"]))
for value in ("JOSE", "JWS", "secevent+jwt", "", 1, None, ["JWT"]):
    signed(f"typ {json.dumps(value)}", "`typ`", more(typ=value))

# --- names twice
for what, head, body in (
    ("alg twice", '{"alg":"none","alg":"ES256","kid":"%s"}' % kid, None), ("alg twice, written otherwise", '{"alg":"ES256","\\u0061lg":"none","kid":"%s"}' % kid, None),
    ("exp twice", None, json.dumps(claims)[:-1] + ',"exp":9999999999}'), ("sub twice, deep inside", None, json.dumps(said(a={"b": 1}))[:-2] + ',"b":2}}'),
    ("iss twice, written otherwise", None, json.dumps(claims)[:-1] + ',"\\u0069ss":"x"}'),
):
    signed(what, "duplicate", head, body)

# --- times
for value in ("1e400", "9223372036854775807", "9223372036854775808", "1e19", "99999999999999999999999999999999999999", "-1", "-0.5", "true", "null", "[]", '"%d"' % (now + 600), "253402300800"):
    signed(f"exp {value[:24]}", "claims" if value in ("1e400", "9223372036854775808", "99999999999999999999999999999999999999") else "`exp`",
           None, json.dumps(claims).replace(str(now + 600), value))
for value in ("NaN", "Infinity", "0x7fffffff", "1_000", "01", "+1", ".5"):
    signed(f"exp {value}", "claims", None, json.dumps(claims).replace(str(now + 600), value))
signed("no exp", "no `exp`", None, {"EXP" if member == "exp" else member: value for member, value in claims.items()})
signed("expired", "has expired", None, said(exp=now - 31))
signed("not yet", "not valid yet", None, said(nbf=now + 400))
signed("not for ages", "not valid yet", None, said(nbf=253402300799))
signed("made tomorrow", "from the future", None, said(iat=now + 86400))

# --- for whom, by whom, about whom
for value in ([], {}, "", None, 7, ["Shop"], [["shop"]], "shop,other", "shop ", {"shop": True}):
    signed(f"aud {json.dumps(value)}", "`aud`", None, said(aud=value))
for value in (name + "/", name.upper(), f" {name}", [name], None, "", name[:-1]):
    signed(f"iss {json.dumps(value)}", "`iss`", None, said(iss=value))
for value in ("", "a\nb", "a\x1b[2J", "a\u009bb", "a\u202eb", "s" * 256, 7, ["alice"], None):
    signed(f"sub {json.dumps(value)[:24]}", "`sub`", None, said(sub=value))

# --- what is no token
signed("header of a list", "no object", [header])
signed("claims of text", "no object", None, '"claims"')
signed("claims that are not UTF-8", "claims", None, json.dumps(claims).encode()[:-1] + b',"a":"\xff"}')
signed("claims with half a pair", "claims", None, json.dumps(claims)[:-1] + ',"a":"\\ud800"}')
signed("claims with NUL", "claims", None, json.dumps(claims)[:-1] + ',"a":"\\u0000"}')
signed("claims behind a mark of order", "claims", None, b"\xef\xbb\xbf" + json.dumps(claims).encode())
signed("claims and more", "claims", None, json.dumps(claims) + "{}")
signed("claims 5000 deep", "claims", None, json.dumps(claims)[:-1] + ',"a":' + "[" * 2500 + "]" * 2500 + "}")
token = f"{plain}.{encode(good)}"
say("four parts", "three parts", token + ".")
say("encrypted", "three parts", token + ".a.b")
say("two parts", "three parts", plain)
say("a part that is empty", "header", f".{plain.split('.')[1]}.{encode(good)}")
say("as JSON", "three parts", json.dumps({"protected": plain.split(".")[0], "payload": plain.split(".")[1], "signature": encode(good)}).replace(" ", "").replace(".", ""))
