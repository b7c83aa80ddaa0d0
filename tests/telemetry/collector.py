#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A collector for tests: takes OTLP over HTTP on loopback, decodes it with Google's protobuf and OpenTelemetry's own
descriptors, and appends one JSON line per request to a file.

  collector.py LOG MODE-FILE [CERTIFICATE KEY]

Prints its port.  The mode file says, per request, how it answers: ok, partial, busy (503 with Retry-After), refuse
(400), plain (415 to what is compressed), garbage, redirect, close, hang, slow (endless answer), big.  A request with a field that the descriptors don't
know, or of another content type, is logged as malformed.
"""
import gzip
import http.server
import json
import socketserver
import ssl
import sys
import time

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

LOG, MODE = sys.argv[1], sys.argv[2]


def messages():
    pool = descriptor_pool.DescriptorPool()
    found = descriptor_pb2.FileDescriptorSet()
    with open(__file__.rsplit("/", 2)[0] + "/data/otlp/descriptors.bin", "rb") as file:
        found.ParseFromString(file.read())
    for file in found.file:
        pool.Add(file)
    get = getattr(message_factory, "GetMessageClass", None) or message_factory.MessageFactory(pool).GetPrototype
    base = "opentelemetry.proto.collector."
    return {
        path: tuple(get(pool.FindMessageTypeByName(base + name + kind)) for kind in ("Request", "Response"))
        for path, name in (("/v1/traces", "trace.v1.ExportTraceService"), ("/v1/metrics", "metrics.v1.ExportMetricsService"))
    }


MESSAGES = messages()


def has_unknown(message):
    """Whether a field of it, or of what is in it, is none of the descriptors'."""
    try:
        from google.protobuf.unknown_fields import UnknownFieldSet
        unknown = len(UnknownFieldSet(message))
    except ImportError:
        unknown = len(message.UnknownFields())
    if unknown:
        return True
    for field, value in message.ListFields():
        if field.message_type is not None:
            parts = value if field.label == field.LABEL_REPEATED else [value]
            if any(has_unknown(part) for part in parts):
                return True
    return False


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def log(self, entry):
        with open(LOG, "a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")

    def answer(self, status, body, kind="application/x-protobuf", **fields):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(MODE, encoding="utf-8") as file:
            mode = file.read().strip()
        entry = {"path": self.path, "mode": mode, "headers": {k.lower(): v for k, v in self.headers.items()}}
        if self.path not in MESSAGES or self.headers["Content-Type"] != "application/x-protobuf":
            self.log({**entry, "malformed": "path or content type"})
            return self.answer(404, b"")
        if self.headers.get("Content-Encoding") == "gzip":
            if mode == "plain":
                self.log(entry)
                return self.answer(415, b"")
            entry["saved"] = len(body) / len(gzip.decompress(body))
            body = gzip.decompress(body)
        request, response = (kind() for kind in MESSAGES[self.path])
        try:
            request.ParseFromString(body)
        except Exception as error:  # whatever Google's code throws
            self.log({**entry, "malformed": str(error)})
            return self.answer(400, b"")
        if has_unknown(request):
            entry["malformed"] = "unknown fields"
        entry["request"] = json_format.MessageToDict(request)
        self.log(entry)
        self.reply(mode, response)

    def reply(self, mode, response):
        if mode == "partial":
            name = "rejected_spans" if self.path == "/v1/traces" else "rejected_data_points"
            setattr(response.partial_success, name, 2)
            response.partial_success.error_message = "two are too old\x1b[31m"
        if mode in ("ok", "partial"):
            self.answer(200, response.SerializeToString())
        elif mode == "busy":
            self.answer(503, b"", Retry_After="1")
        elif mode == "refuse":
            self.answer(400, b"no")
        elif mode == "garbage":
            self.answer(200, b"<html>welcome</html>", "text/html")
        elif mode == "redirect":
            self.answer(307, b"", Location="http://127.0.0.1:1/elsewhere")
        elif mode == "big":
            self.answer(200, b"\0" * (8 << 20))
        elif mode == "slow":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for _ in range(100):
                self.wfile.write(b"X-More: %s\r\n" % (b"y" * 60))
                time.sleep(0.3)
        elif mode == "hang":
            time.sleep(60)
        else:  # close
            self.close_connection = True


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Whoever hangs up before a lie is told in full is right."""


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 3:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
