"""The site's control interface, as far as a master may use it: what time it is, and step by step."""

import json
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

from twin.contracts import NS_PER_SECOND, BadInputError, Finding, Mark, TwinError

_PATIENCE_S = 30.0


class SiteControlError(TwinError, RuntimeError):
    """The site's control interface does not do what it is asked.

    Parameters
    ----------
    text : str
    problem : dict, optional
        What it answered: ``what``, ``mend`` and ``findings``.
    """

    def __init__(self, text: str, problem: dict[str, Any] | None = None) -> None:
        super().__init__(text)
        self.problem = problem


class SiteEndedError(SiteControlError):
    """The scenario has come to its end."""


class SiteControl:
    """A client of the control interface.

    Parameters
    ----------
    url : str
        Such as ``http://127.0.0.1:8090``.
    token : str
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        # A proxy of the environment has no business between two programs of one machine.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    def from_ready_file(cls, path: Path | str) -> "SiteControl":
        """Return a client of the site that has written a ready file.

        Raises
        ------
        BadInputError
            The file cannot be read, or the site serves no control interface.
        """
        try:
            ready = json.loads(Path(path).read_text(encoding="utf-8"))
            return cls(ready["api"], ready["api_token"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            mend = "start the site with: twin serve SCENARIO --api-port 0 --ready-file FILE"
            what = f"names no control interface ({error})"
            raise BadInputError(Finding(Mark(str(path)), "", what, mend)) from error

    def status(self) -> dict[str, Any]:
        """Return the site's status."""
        return dict(self.ask("GET", "/v1/status"))

    def clock(self) -> dict[str, Any]:
        """Return what time it is on the site."""
        return dict(self.ask("GET", "/v1/clock"))

    def resume(self) -> int:
        """Let simulated time run and return it, UTC [ns]."""
        return utc_ns(self.ask("POST", "/v1/clock/resume")["applied_utc"])

    def pause(self) -> int:
        """Let simulated time stand still and return it, UTC [ns]."""
        return utc_ns(self.ask("POST", "/v1/clock/pause")["applied_utc"])

    def step(self, seconds: float) -> int:
        """Let some simulated time pass and return the time that is reached, UTC [ns].

        Raises
        ------
        SiteEndedError
            The scenario was over before.
        """
        try:
            answer = self.ask("POST", "/v1/clock/step", {"seconds": seconds})
        except SiteControlError:
            if self.status()["ended"]:
                raise SiteEndedError("the scenario has ended") from None
            raise
        return utc_ns(answer["applied_utc"])

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Return what an operation answers.

        Parameters
        ----------
        method : str
            Such as ``GET``.
        path : str
            Such as ``/v1/status``.
        body : object, optional
            Sent as JSON.

        Raises
        ------
        SiteControlError
            It does not answer, or refuses.
        """
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data=data, headers=self._headers, method=method)
        try:
            with self._opener.open(request, timeout=_PATIENCE_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            detail = error.read().decode(errors="replace")
            text = f"{method} {path} answered {error.code}: {detail[:300]}"
            raise SiteControlError(text, _problem(detail)) from error
        except (OSError, ValueError) as error:
            raise SiteControlError(f"{self._url} does not answer ({error})") from error


def _problem(detail: str) -> dict[str, Any] | None:
    """Return the problem that a body describes, or None where it describes none."""
    try:
        problem = json.loads(detail)
    except ValueError:
        return None
    known = isinstance(problem, dict) and {"what", "mend", "findings"} <= set(problem)
    return problem if known else None


class SiteClock:
    """Simulated time between two looks at the site.

    Parameters
    ----------
    control : SiteControl
    """

    def __init__(self, control: SiteControl) -> None:
        self._control = control
        self._sim_ns, self._wall_s, self._speed = 0, 0.0, 0.0
        self.ended = False
        self.look()

    def look(self) -> None:
        """Ask the site what time it is and how fast it runs."""
        before = time.monotonic()
        status = self._control.clock()
        self._wall_s = (before + time.monotonic()) / 2
        self._sim_ns = utc_ns(status["simulated_utc"])
        speed = status["speed"]
        # As fast as possible is no rate that one could reckon with: the last look counts until the next.
        self._speed = 0.0 if status["paused"] or speed == "max" else float(speed)
        self.ended = bool(status["ended"])

    def __call__(self) -> int:
        """Return the simulated time, UTC [ns]."""
        since_s = time.monotonic() - self._wall_s
        return self._sim_ns + round(since_s * self._speed * NS_PER_SECOND)


def utc_ns(text: str) -> int:
    """Return an instant of the control interface, UTC [ns]; it has nine digits behind the second."""
    head, _, rest = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(head + "+00:00").timestamp())
    return seconds * NS_PER_SECOND + int(rest.ljust(9, "0")[:9] or 0)
