#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""api/openapi.yaml is what the node does: the document is valid OpenAPI 3.1, has exactly the rows of the gateway's table,
and a running node answers in the forms that it gives.  The validator is openapi-spec-validator (PyPI), kept in
BUILD/api-venv; without it these cases are skipped."""
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("S3N_BUILD", os.path.join(ROOT, "build"))
VENV = os.path.join(BUILD, "api-venv")
NONCE = "00" * 32


def enter_venv() -> str:
    """Goes on in an interpreter that has the validator; the reason when there is none."""
    python = os.path.join(VENV, "bin", "python")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    if sys.prefix == VENV:
        return "openapi-spec-validator can't be imported"
    if not os.path.exists(python) and subprocess.run([sys.executable, "-m", "venv", VENV], **quiet).returncode != 0:
        return "python3-venv is not installed"
    if subprocess.run([python, "-c", "import openapi_spec_validator"], **quiet).returncode != 0 and subprocess.run(
            [python, "-m", "pip", "install", "-q", "openapi-spec-validator"], timeout=60, **quiet).returncode != 0:
        return "openapi-spec-validator can't be had from PyPI"
    os.execv(python, [python, os.path.abspath(__file__)])


try:
    import jsonschema
    import yaml
    from openapi_spec_validator import validate
except ImportError:
    try:
        REASON = enter_venv()
    except subprocess.TimeoutExpired:
        REASON = "PyPI does not answer"
    print(f"  skipped: {REASON}\n0 passed, 0 failed, 1 skipped")
    sys.exit(0)


def gateway_rows() -> dict[str, tuple[str, str]]:
    """Operation to (method, path) of GATEWAY_OPERATIONS, paths as OpenAPI writes them."""
    with open(os.path.join(ROOT, "src/gateway/gateway.h"), encoding="utf-8") as file:
        table = file.read().split("#define GATEWAY_OPERATIONS(X)")[1].split("\n\n")[0].replace("\\\n", "")
    rows = {}
    for name, method, pattern in re.findall(r'X\((\w+),\s*(\w+),\s*"([^"]+)"', table):
        path = re.sub(r":(\w+)", r"{\1}", pattern).replace("/*", "/{route}")
        rows[name] = (method.lower(), path)
    return rows


def has_the_rows_of_the_gateway(document: dict) -> None:
    documented = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if isinstance(operation, dict) and "operationId" in operation:
                documented[operation["operationId"]] = (method, path)
    rows = gateway_rows()
    assert len(rows) > 10, rows
    assert documented == rows, set(documented.items()) ^ set(rows.items())


def is_valid(document: dict) -> None:
    validate(document)


def schema_of(document: dict, reference: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator({"$ref": reference, "components": document["components"]})


def ask(url: str, *options: str) -> tuple[int, dict]:
    run = subprocess.run(["curl", "-sk", "-m", "5", "-w", "\n%{http_code}", *options, url], capture_output=True, text=True,
                         check=True)
    body, _, status = run.stdout.rpartition("\n")
    return int(status), json.loads(body)


def answers_as_documented(document: dict) -> None:
    sys.path.insert(0, os.path.join(ROOT, "bench"))
    from node import Node  # pylint: disable=import-outside-toplevel
    schemas = "#/components/schemas/"
    known = "/.well-known/s3n"
    with Node(BUILD) as node:
        for path, options, status, schema in (
                (f"{known}/info", (), 200, "Info"), (f"{known}/attestation?nonce={NONCE}", (), 200, "Attestation"),
                (f"{known}/session?nonce={NONCE}", (), 200, "Session"), (f"{known}/session", (), 400, "Error"),
                (f"{known}/attestation", (), 400, "Error"), (f"{known}/receipts/none", (), 404, "Error"),
                ("/nothing", (), 404, "Error"), (f"{known}/info", ("-X", "POST"), 405, "Error"),
                ("/v1/applications", (), 401, "Error"), ("/v1/tokens", (), 401, "Error"), ("/v1/members", (), 401, "Error"),
                ("/v1/caller", ("-H", "Authorization: Bearer s3n_x"), 401, "Error"), (f"/v1/blobs/{NONCE}", ("-X", "PUT", "-d", "x"), 401, "Error"),
                ("/v1/applications/a/functions/b/invoke", ("-X", "POST"), 404, "Error"),
                ("/a/none/x", (), 404, "Error"), ("/%", (), 400, "Error")):
            got, body = ask(node.url + path, *options)
            assert got == status, (path, got, body)
            schema_of(document, schemas + schema).validate(body)
        got, body = ask(f"{node.url}{known}/health")
        assert (got, body) == (200, {"status": "ok", "ready": True}), body


def main() -> int:
    passed = failed = skipped = 0
    with open(os.path.join(ROOT, "api/openapi.yaml"), encoding="utf-8") as file:
        document = yaml.safe_load(file)
    for case in (is_valid, has_the_rows_of_the_gateway, answers_as_documented):
        print(case.__name__)
        if case is answers_as_documented and not os.path.exists(os.path.join(BUILD, "bin", "s3nd")):
            print("  skipped: s3nd is not built")
            skipped += 1
            continue
        try:
            case(document)
            passed += 1
        except (Exception, SystemExit) as error:  # pylint: disable=broad-exception-caught
            print(f"  {type(error).__name__}: {error}")
            failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
