#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""wasi_peers.py SUITES [BUILD]: the WASI suites under S3N (each backend), Node's node:wasi and Wasmtime (its PyPI
wheel), as the table of docs/webassembly.md: who passes how many, who fails what.  A module must end with the exit code
and print what its JSON says."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(SOURCE, "bench"))
import peers  # noqa: E402

WASMTIME = r"""
import sys, wasmtime
path, root, out, err, count = sys.argv[1:6]
count = int(count)
env = [pair.split('=', 1) for pair in sys.argv[6:6 + count]]
config = wasmtime.WasiConfig()
config.argv = ['program'] + sys.argv[6 + count:]
config.env = env
config.stdout_file, config.stderr_file = out, err
if root:
    config.preopen_dir(root, '/')
engine = wasmtime.Engine()
store = wasmtime.Store(engine)
store.set_wasi(config)
linker = wasmtime.Linker(engine)
linker.define_wasi()
instance = linker.instantiate(store, wasmtime.Module.from_file(engine, path))
try:
    instance.exports(store)['_start'](store)
except wasmtime.ExitTrap as trap:
    sys.exit(trap.code)
except wasmtime.Trap:
    sys.exit(134)
"""


class Case:
    def __init__(self, path: str):
        self.path = path
        self.name = os.path.basename(path)[:-5]
        specification = path[:-5] + ".json"
        wanted = json.load(open(specification)) if os.path.exists(specification) else {}
        self.args = wanted.get("args", [])
        self.env = [f"{name}={value}" for name, value in wanted.get("env", {}).items()]
        self.root = wanted.get("root")
        self.code = wanted.get("exit_code", 0)
        self.stdout = wanted.get("stdout")


def run(case: Case, command) -> bool:
    """With a fresh copy of the folder that the case asks for."""
    with tempfile.TemporaryDirectory() as scratch:
        root = ""
        if case.root:
            root = os.path.join(scratch, "root")
            shutil.copytree(os.path.join(os.path.dirname(case.path), case.root), root)
        out = os.path.join(scratch, "out")
        words, captured = command(case, root, out, os.path.join(scratch, "err"))
        try:
            ended = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        except subprocess.TimeoutExpired:
            return False
        printed = open(out, "rb").read() if captured else ended.stdout
        return ended.returncode == case.code and (case.stdout is None or printed.decode() == case.stdout)


def runners(build: str):
    def s3n(backend):
        def command(case, root, out, err):
            words = [os.path.join(build, "bin", "s3n"), "-q", "run", "--backend", backend]
            words += [word for pair in case.env for word in ("--env", pair)]
            return words + (["--dir", root + "::/"] if root else []) + [case.path] + case.args, False
        return command

    def node(case, root, out, err):
        words = ["node", "--no-warnings", os.path.join(HERE, "node-wasi.mjs")]
        words += [word for pair in case.env for word in ("--env", pair)]
        return words + (["--dir", root] if root else []) + [case.path] + case.args, False

    table = {}
    if os.access("/dev/kvm", os.W_OK):
        table["S3N, kvm"] = s3n("kvm")
    table["S3N, process"] = s3n("process")
    if shutil.which("node"):
        table["node:wasi " + subprocess.run(["node", "--version"], capture_output=True, text=True,
                                            check=True).stdout.strip()] = node
    python = peers.wasmtime_python(build)
    if python:
        version = subprocess.run([python, "-c", "import importlib.metadata as m; print(m.version('wasmtime'))"], capture_output=True,
                                 text=True, check=True).stdout.strip()

        def wasmtime(case, root, out, err):
            return [python, "-c", WASMTIME, case.path, root, out, err, str(len(case.env))] + case.env + case.args, True
        table["Wasmtime " + version] = wasmtime
    return table


def main() -> int:
    suites = sys.argv[1]
    build = sys.argv[2] if len(sys.argv) > 2 else os.path.join(SOURCE, "build")
    folders = sorted(name for name in os.listdir(suites) if os.path.isdir(os.path.join(suites, name)))
    cases = {name: [Case(os.path.join(suites, name, file)) for file in sorted(os.listdir(os.path.join(suites, name)))
                    if file.endswith(".wasm")] for name in folders}
    print("| | " + " | ".join(f"{name} ({len(cases[name])})" for name in folders) + " | fails |")
    print("| --- |" + " --- |" * (len(folders) + 1))
    failed_ours = 0
    for who, command in runners(build).items():
        passed, failures = [], []
        for name in folders:
            failed = [case.name for case in cases[name] if not run(case, command)]
            passed.append(str(len(cases[name]) - len(failed)))
            failures += [f"{name}/{case}" for case in failed]
        failed_ours += len(failures) if who.startswith("S3N") else 0
        print(f"| {who} | " + " | ".join(passed) + " | " + (", ".join(failures) or "-") + " |")
    return 1 if failed_ours else 0


if __name__ == "__main__":
    sys.exit(main())
