#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the WebAssembly module where it is needed: assemble.py module WASM TARGET.js
                                                assemble.py page WASM TARGET.html TEMPLATE.html VERIFY.js
The page gets everything inside and a content security policy under which it can't load anything else."""
import base64
import hashlib
import re
import sys


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def hash_of(script):
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"


def page(template, verify, wasm):
    # One script: the package's code without its exports, then the page's own.
    verify = re.sub(r"^export ", "", verify, flags=re.M)
    html = template.replace("/*@VERIFY@*/", inside_script(verify)).replace("@WASM@", wasm)
    scripts = re.findall(r'<script type="module">(.*?)</script>', html, flags=re.S)
    styles = re.findall(r"<style>(.*?)</style>", html, flags=re.S)
    policy = "; ".join(["default-src 'none'", "base-uri 'none'", "form-action 'none'", "img-src data:",
                        "script-src 'wasm-unsafe-eval' " + " ".join(map(hash_of, scripts)),
                        "style-src " + " ".join(map(hash_of, styles))])
    return html.replace("@POLICY@", policy)


def inside_script(text):
    if "</script" in text.lower():
        sys.exit("assemble.py: the script would end inside")
    return text


def main():
    kind, source, target = sys.argv[1:4]
    with open(source, "rb") as file:
        wasm = base64.b64encode(file.read()).decode()
    if kind == "module":
        made = "// Built from src/cmd/s3n-verify-wasm.  SPDX-License-Identifier: Apache-2.0\nexport default '%s';\n" % wasm
    else:
        made = page(text_of(sys.argv[4]), text_of(sys.argv[5]), wasm)
    with open(target, "w", encoding="utf-8") as file:
        file.write(made)


main()
