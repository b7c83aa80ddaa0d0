#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""collateral.py SIM-ROOT.PEM FOLDER: takes a development root's file apart into what `s3n verify evidence` takes.  The
private key stays where it is."""
import base64
import os
import re
import ssl
import sys

text = open(sys.argv[1]).read()
items = {}
for kind, body in re.findall(r"-----BEGIN ([A-Z0-9 ]+)-----\n(.*?)-----END", text, re.S):
    items.setdefault(kind, []).append(base64.b64decode(body))


def pem(*values):
    return "".join(ssl.DER_cert_to_PEM_cert(value) for value in values).encode()


certificates, lists = items["CERTIFICATE"], items["X509 CRL"]
for name, content in {"root.pem": pem(certificates[2]),
                      "tcb-info": items["S3N SIMULATED TCB INFO"][0],
                      "qe-identity": items["S3N SIMULATED QE IDENTITY"][0],
                      "tcb-chain": pem(*certificates[3:5]),
                      "root-crl": lists[0], "pck-crl": lists[1]}.items():
    with open(os.path.join(sys.argv[2], name), "wb") as target:
        target.write(content)
