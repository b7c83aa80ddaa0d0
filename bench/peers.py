# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks are measured against and with: Wasmtime's wheel, gojq's module, CPU time of children."""
import os
import re
import resource
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def cpu_of(command: list[str], stdin=subprocess.DEVNULL) -> tuple[float, str]:
    """CPU seconds (user and system) of a command and its descendants, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, stdin=stdin, stdout=subprocess.PIPE, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, run.stdout


def wasmtime_python(build: str) -> str:
    """The interpreter of a virtual environment with the wasmtime wheel, or '' when it can't be had."""
    python = os.path.join(build, "bench-venv", "bin", "python")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    if not os.path.exists(python):
        folder = os.path.join(build, "bench-venv")
        if subprocess.run([sys.executable, "-m", "venv", folder], **quiet).returncode != 0:
            return ""
    ready = subprocess.run([python, "-m", "pip", "install", "-q", "wasmtime"], **quiet)
    return python if ready.returncode == 0 else ""


def gojq(build: str) -> tuple[str, str]:
    """Path of gojq.wasm, or '' and the reason why there is none."""
    target = os.path.join(build, "gojq.wasm")
    if os.path.exists(target):
        return target, ""
    try:
        version = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "", "no Go on this machine"
    found = re.match(r"go1\.(\d+)", version)
    if not found or int(found.group(1)) < 24:
        return "", f"Go {version.strip()} is older than 1.24"
    run = subprocess.run(["go", "build", "-o", target, "github.com/itchyny/gojq/cmd/gojq"],
                         cwd=os.path.join(HERE, "..", "tests", "programs", "gojq"), check=False,
                         env={**os.environ, "GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "-mod=mod"})
    return (target, "") if run.returncode == 0 else ("", "go build failed")


def code_section_size(path: str) -> int:
    """Bytes of a module's code section."""
    with open(path, "rb") as file:
        data = file.read()
    at = 8
    while at < len(data):
        kind, at = data[at], at + 1
        size = shift = 0
        while True:
            byte, at = data[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        if kind == 10:
            return size
        at += size
    return 0
