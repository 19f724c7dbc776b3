"""A live site in a process of its own, as a user starts it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

SCENARIOS = Path(__file__).parent.parent / "scenarios"


def scenario_on_free_ports(folder: Path, name: str = "european-lv-day.yaml") -> Path:
    """Return a copy of a scenario in which every port is a free one."""
    text = (SCENARIOS / name).read_text(encoding="utf-8")
    text = re.sub(r"port: \d+", "port: 0", text)
    text = text.replace("network: networks/", f"network: {SCENARIOS}/networks/")
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


class LiveSite:
    """``twin serve`` until the end of the block."""

    def __init__(
        self, scenario: Path, folder: Path, *options: str, environment: dict[str, str] | None = None
    ) -> None:
        self._ready_file = folder / "ready.json"
        command = [sys.executable, "-m", "twin.cli", "serve", str(scenario)]
        command += ["--out", str(folder / "recording"), "--ready-file", str(self._ready_file), *options]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, env=environment or dict(os.environ)
        )
        self.ready: dict[str, Any] = {}

    @property
    def pid(self) -> int:
        return self._process.pid

    def __enter__(self) -> Self:
        while not self._ready_file.exists():
            if self._process.poll() is not None:
                raise RuntimeError(f"twin serve ended with {self._process.returncode}")
            time.sleep(0.02)
        self.ready = json.loads(self._ready_file.read_text(encoding="utf-8"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(timeout=30)
