"""FUXA as a program: started in a folder of its own, given a project, asked for its alarms."""

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Self

_START_S = 60.0
_SETTINGS = """module.exports = Object.assign(require({defaults}), {{
    uiPort: {port}, uiHost: '127.0.0.1', daqEnabled: false, logApiLevel: 'none', apiRateLimitMax: 100000,
}});
"""


class FuxaError(RuntimeError):
    """FUXA does not start, or does not answer."""


class Fuxa:
    """FUXA, running on loopback.

    Parameters
    ----------
    installed : Path
        Folder in which npm has put it.
    folder : Path
        For its settings, databases and log; made anew.
    """

    def __init__(self, installed: Path, folder: Path) -> None:
        self._main = installed.resolve() / "node_modules" / "@frangoteam" / "fuxa" / "main.js"
        if not self._main.is_file():
            msg = f"{self._main} is missing; install it with: make demo-scada"
            raise FuxaError(msg)
        self._folder = folder.resolve()  # it is started there
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self) -> Self:
        shutil.rmtree(self._folder, ignore_errors=True)  # an earlier run's history is not this one's
        settings = self._folder / "_appdata"
        settings.mkdir(parents=True, exist_ok=True)
        defaults = json.dumps(str(self._main.with_name("settings.default.js").resolve()))
        text = _SETTINGS.format(defaults=defaults, port=self.port)
        (settings / "settings.js").write_text(text, encoding="utf-8")
        self._log = (self._folder / "fuxa.log").open("w", encoding="utf-8")
        command = ["node", str(self._main), "--userDir", str(self._folder)]
        self._process = subprocess.Popen(
            command, cwd=self._folder, stdout=self._log, stderr=subprocess.STDOUT
        )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def load(self, project: dict[str, Any]) -> None:
        """Give it a project; it restarts its runtime with that."""
        self._ask("/api/project", project)

    def history(self) -> list[dict[str, Any]]:
        """Return every alarm that it raised: name, type, ontime and offtime [ms since 1970], value."""
        return list(self._ask("/api/alarmsHistory") or [])

    def values(self, tags: list[str]) -> dict[str, Any]:
        """Return what it has read last, by tag; None where nothing was read."""
        query = urllib.parse.quote(json.dumps(tags))
        return {one["id"]: one.get("value") for one in self._ask(f"/api/getTagValue?ids={query}") or []}

    def _wait(self) -> None:
        ends = time.monotonic() + _START_S
        while time.monotonic() < ends:
            if self._process.poll() is not None:
                break
            try:
                self._ask("/api/project")
            except FuxaError:
                time.sleep(0.2)
            else:
                return
        tail = (self._folder / "fuxa.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        msg = f"FUXA did not start:\n{tail}"
        raise FuxaError(msg)

    def _ask(self, path: str, body: object = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with self._opener.open(request, timeout=30) as answer:
                text = answer.read().decode()
        except (OSError, urllib.error.HTTPError) as error:
            raise FuxaError(f"{path}: {error}") from error
        return json.loads(text) if text else None
