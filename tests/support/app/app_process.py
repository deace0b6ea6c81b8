"""Starts and stops the real app for browser tests, with `streamlit run app.py`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.support.servers.redis_servers import free_port

ROOT = Path(__file__).parents[3]


class App:
    """One app process. `env` holds its settings; those of the person who runs the tests are hidden from it."""

    def __init__(self, data_dir: Path, env: dict[str, str] | None = None, *, script: str = "app.py", cwd: Path = ROOT):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPENAI_", "ANTHROPIC_", "REDIS_", "WINDOWSEAT_", "STREAMLIT_"))
        }
        ours = {"WINDOWSEAT_DATA_DIR": str(data_dir), "WINDOWSEAT_LOCAL_SERVERS": "none"}
        self.env = {**clean, **ours, **(env or {})}
        self.command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            script,
            "--server.port",
            str(self.port),
            "--server.headless",
            "true",
        ]
        self.cwd = cwd
        self.log = data_dir.parent / f"app-{self.port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> App:
        """Start the app and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return self
            except OSError:
                time.sleep(0.02)
        raise AssertionError(f"the app did not become healthy:\n{self.log.read_text()}")

    def kill(self) -> None:
        """Send SIGKILL, so that the app cannot clean up."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> None:
        """Send SIGTERM, as a supervisor would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def __enter__(self) -> App:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()
