#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Intel's and AMD's services on loopback, replaying recorded answers of tests/data/attest, and misbehaving on request.

  tests/collateral/replay.py FOLDER [CERTIFICATE KEY]

Prints its URL, then serves until its input ends.  FOLDER/mode holds lines `PART MODE [ARGUMENT]` that are read at every
request (PART: tcb, identity, pckcrl, rootcrl, vcek, chain, crl, or *); FOLDER/log gets a line for each request.  Without
a mode a part is answered as recorded.  FOLDER/PART replaces a recorded body.
"""
import http.server
import os
import ssl
import sys
import threading
import time
import urllib.parse

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../data/attest")
INTEL = os.path.join(SOURCE, "intel")
SNP = os.path.join(SOURCE, "snp")


def content(*path):
    with open(os.path.join(*path), "rb") as file:
        return file.read()


def pem(der):
    import base64
    text = base64.b64encode(der).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return ("-----BEGIN CERTIFICATE-----\n" + "\n".join(lines) + "\n-----END CERTIFICATE-----\n").encode()


CHAIN = urllib.parse.quote(content(INTEL, "tcb_signing_chain_2025.pem").decode())
VCEK_HWID = "c38427a30d4c7af9d96f7a15b97269825a64cb76a2352ffd5d18115d89ad473f8e8c0bcd9a5d9286612bad4aadfb4426205a3b9e4fea82301135a170e477524e"


def answer(path, query, folder):
    """(part, body, headers) of what is recorded, or None."""
    def body(part, *recorded):
        replaced = os.path.join(folder, part)
        return content(replaced) if os.path.exists(replaced) else content(*recorded)
    fmspc = query.get("fmspc", [""])[0]
    names = {
        "/tdx/certification/v4/tcb": ("tcb", "tcb_info_%s_20250619.json" % fmspc[:6], "TCB-Info-Issuer-Chain"),
        "/tdx/certification/v4/qe/identity": ("identity", "td_qe_identity_b0c06f_20250619.json", "SGX-Enclave-Identity-Issuer-Chain"),
    }
    if path in names:
        part, name, header = names[path]
        if part == "tcb" and not os.path.exists(os.path.join(INTEL, name)) and not os.path.exists(os.path.join(folder, part)):
            return None
        chain = urllib.parse.quote(content(folder, "chain.pem").decode()) if os.path.exists(os.path.join(folder, "chain.pem")) else CHAIN
        return part, body(part, INTEL, name), {header: chain, "Content-Type": "application/json", "Request-ID": "a1b2c3"}
    if path == "/sgx/certification/v4/pckcrl" and query.get("ca") == ["platform"] and query.get("encoding") == ["der"]:
        return "pckcrl", body("pckcrl", INTEL, "pck_platform_crl_b0c06f_20250619.der"), {"SGX-PCK-CRL-Issuer-Chain": CHAIN}
    if path == "/sgx/certification/v4/rootcacrl":
        return "rootcrl", body("rootcrl", INTEL, "root_ca_crl_20250320.der").hex().encode(), {}
    if path == "/vcek/v1/Milan/cert_chain":
        return "chain", pem(content(SNP, "certs/milan_ask.der")) + pem(content(SNP, "certs/milan_ark.der")), {}
    if path == "/vcek/v1/Milan/crl":
        return "crl", content(SNP, "crl/milan_crl.der"), {}
    wanted = {"blSPL": ["03"], "teeSPL": ["00"], "snpSPL": ["08"], "ucodeSPL": ["115"]}
    if path == "/vcek/v1/Milan/" + VCEK_HWID and query == wanted:
        return "vcek", content(SNP, "certs/vcek_coco_milan.der"), {}
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = ""
    counts = {}

    def mode_of(self, part):
        try:
            with open(os.path.join(self.folder, "mode"), encoding="utf-8") as file:
                rows = [line.split() for line in file if line.strip()]
        except FileNotFoundError:
            return "plain", ""
        for row in rows:
            if row[0] in (part, "*"):
                return row[1], row[2] if len(row) > 2 else ""
        return "plain", ""

    def send(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parsed = urllib.parse.urlsplit(self.path)
        found = answer(parsed.path, urllib.parse.parse_qs(parsed.query), self.folder)
        part = found[0] if found else "unknown"
        with open(os.path.join(self.folder, "log"), "a", encoding="utf-8") as log:
            log.write(part + " " + self.path + "\n")
        if found is None:
            self.send(404, b"", {})
            return
        part, body, headers = found
        mode, argument = self.mode_of(part)
        count = self.counts[(part, mode)] = self.counts.get((part, mode), 0) + 1
        if mode == "status":
            self.send(int(argument), b"", {"Request-ID": "a1b2c3"})
        elif mode == "busy":  # 429 with Retry-After, always
            self.send(429, b"", {"Retry-After": argument})
        elif mode == "busy-once":
            self.send(429 if count == 1 else 200, body if count > 1 else b"", dict(headers, **{"Retry-After": argument}))
        elif mode == "redirect":
            self.send(302, b"", {"Location": "http://example.invalid/"})
        elif mode == "garbage":
            self.send(200, b"<html>we are sorry</html>", headers)
        elif mode == "huge":
            self.send(200, b"{" * (2 << 20), headers)
        elif mode == "no-chain":
            self.send(200, body, {})
        elif mode == "wrong-chain":
            self.send(200, body, {name: value[:-40] for name, value in headers.items()})
        elif mode == "truncated":
            self.send(200, body[:100], dict(headers, **{"Content-Length": str(len(body))}))
            self.close_connection = True
        elif mode == "drip":  # a byte now and then, for as long as somebody listens
            self.send(200, body[:1], dict(headers, **{"Content-Length": str(len(body))}))
            try:
                for i in range(1, len(body)):
                    time.sleep(0.2)
                    self.wfile.write(body[i:i + 1])
                    self.wfile.flush()
            except OSError:
                self.close_connection = True
        else:
            self.send(200, body, headers)

    def log_message(self, *arguments):
        pass


def main():
    Handler.folder = sys.argv[1]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    print("%s://127.0.0.1:%d" % (scheme, server.server_address[1]), flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


main()
