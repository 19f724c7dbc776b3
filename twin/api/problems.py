"""What is wrong with a request, where, and how to mend it: the body of every answer that is no success."""

import json
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, Self

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from twin.contracts import Finding, Mark, TwinError
from twin.documents import findings_of, suggestion
from twin.recording import NotRecordedError, RecordingPathError
from twin.scenario.live_events import LIVE_EVENTS

_MENDS = {
    401: "send 'Authorization: Bearer TOKEN' with the token of the ready file",
    404: "see /openapi.json for what there is",
    405: "see /openapi.json for its methods",
    413: "send less",
}


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str = Field(description="dotted path in the body, or name of the parameter")
    what: str
    mend: str


class ProblemBody(BaseModel):
    """What is wrong, and what to do about it."""

    what: str
    mend: str
    findings: list[FieldProblem] = Field(default_factory=list, description="one for each field that is wrong")


class ProblemError(TwinError):
    """A request that cannot be fulfilled."""

    def __init__(self, status: int, what: str, mend: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(f"{what}; {mend}")
        self.status = status
        self.what = what
        self.mend = mend
        self.findings = tuple(findings)

    @classmethod
    def unknown(cls, kind: str, name: str, names: Iterable[str]) -> Self:
        """Return the problem of a name that does not exist."""
        return cls(404, f"there is no {kind} '{name}'", suggestion(name, names, f"{kind} names"))

    @classmethod
    def of_findings(cls, findings: Sequence[Finding]) -> Self:
        """Return the problem of a body or parameters with findings."""
        count = f"{len(findings)} fields are" if len(findings) != 1 else "1 field is"
        return cls(422, f"{count} wrong", "see the findings", findings)


def answer(problem: ProblemError, headers: dict[str, str] | None = None) -> Response:
    """Return a problem as a response; whatever it quotes of the request is escaped."""
    body = {
        "what": problem.what,
        "mend": problem.mend,
        "findings": [{"field": one.field, "what": one.what, "mend": one.mend} for one in problem.findings],
    }
    return Response(json.dumps(body), problem.status, headers, "application/json")


def of_status(status: int, what: str = "") -> ProblemError:
    """Return the problem that a bare status stands for."""
    return ProblemError(
        status, what or HTTPStatus(status).phrase.lower(), _MENDS.get(status, "change the request")
    )


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what an operation's description says of the answers that are no success."""
    texts = {
        404: "there is nothing of that name",
        409: "refused by the site as it is now",
        503: "no answer from the simulation in time, or it has ended",
    }
    return {status: {"model": ProblemBody, "description": texts[status]} for status in statuses}


ALWAYS: dict[int | str, dict[str, Any]] = {
    401: {
        "model": ProblemBody,
        "description": "the token is missing or wrong",
        "headers": {"WWW-Authenticate": {"required": True, "schema": {"const": "Bearer"}}},
    },
    413: {"model": ProblemBody, "description": "the body is too large"},
    422: {"model": ProblemBody, "description": "fields are wrong: each with what to do about it"},
}
"""Answers of every operation."""


def handle_problems(app: FastAPI) -> None:
    """Have an app answer everything that goes wrong in one form."""

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, ProblemError)
        return answer(error)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return answer(ProblemError.of_findings(_findings(error)))

    async def bare(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        # 400 is what the framework makes of a body that it cannot parse at all.
        found = (
            of_status(422, "the body cannot be parsed")
            if error.status_code == 400
            else of_status(error.status_code)
        )
        return answer(found, dict(error.headers or {}))

    async def failed(request: Request, error: Exception) -> Response:
        return answer(ProblemError(500, "the interface failed; the program's log says why", "report it"))

    async def not_recorded(request: Request, error: Exception) -> Response:
        what, _, mend = str(error).partition("; ")
        return answer(ProblemError(404, what.rpartition(": ")[2], mend or _MENDS[404]))

    async def no_recording(request: Request, error: Exception) -> Response:
        return answer(ProblemError(503, "the recording cannot be read", "ask again in a moment"))

    app.add_exception_handler(Exception, failed)
    app.add_exception_handler(ProblemError, problem)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, bare)
    app.add_exception_handler(NotRecordedError, not_recorded)
    app.add_exception_handler(RecordingPathError, no_recording)


def _findings(error: RequestValidationError) -> list[Finding]:
    """Return what is wrong with a request, by fields of its body and by parameters."""
    out = []
    for item in error.errors():
        place, *path = item["loc"]
        if place == "body":
            out.append(_in_body(item, tuple(path), error.body))
        else:
            given = {path[0]: item["input"]} if path else {}
            out += findings_of(given, [{**item, "loc": tuple(path)}])
    return out


def _in_body(item: Any, path: tuple[str | int, ...], body: Any) -> Finding:
    if item["type"] == "json_invalid" or not isinstance(body, dict):
        return Finding(Mark(""), "", "the body is no JSON object", "send one, as application/json")
    if item["type"].startswith("union_tag"):
        what = "is missing" if item["type"] == "union_tag_not_found" else "is of no known kind"
        return Finding(Mark(""), "event", what, f"give one of {', '.join(LIVE_EVENTS)}")
    kind = body.get("event")
    model = LIVE_EVENTS.get(kind) if isinstance(kind, str) else None
    if model is not None and path[:1] == (kind,):
        path = path[1:]  # names the kind, no field
    return findings_of(body, [{**item, "loc": path}], model)[0]
