# SPDX-License-Identifier: Apache-2.0
"""A node of the built programs on a free loopback port, for as long as a `with` block lasts."""
import os
import select
import shutil
import signal
import subprocess
import tempfile


class Node:
    """Starts s3nd with a fresh data folder, logs in with a profile of its own, stops it at the end."""

    def __init__(self, build: str):
        self.bin = os.path.join(build, "bin")
        self.folder = tempfile.mkdtemp(prefix="s3n-bench-")
        self.environment = {**os.environ, "XDG_CONFIG_HOME": os.path.join(self.folder, "config")}

    def __enter__(self) -> "Node":
        data = os.path.join(self.folder, "data")
        with open(os.path.join(self.folder, "node.log"), "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(self.bin, "s3nd"), "--data-dir", data, "--listen", "127.0.0.1:0", "--tee", "sim"],
                stdout=subprocess.PIPE, stderr=log, text=True, env=self.environment)
        if not select.select([self.process.stdout], [], [], 30)[0]:
            raise SystemExit("the node did not become ready")
        words = self.process.stdout.readline().split()
        self.url = next(word[4:] for word in words if word.startswith("url="))
        self.certificate = os.path.join(data, "tls.crt")
        with open(os.path.join(data, "claim-code"), encoding="ascii") as claim:
            self.s3n("login", self.url, "--claim", claim.read().strip(), "--trust-simulated")
        return self

    def s3n(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Runs the command line; its output, or an exception that shows its errors."""
        run = subprocess.run([os.path.join(self.bin, "s3n"), *arguments], input=stdin, capture_output=True,
                             env=self.environment, check=False)
        if run.returncode != 0:
            raise SystemExit(f"s3n {' '.join(arguments)}: status {run.returncode}: {run.stderr.decode()}")
        return run.stdout

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
