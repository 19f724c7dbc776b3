"""What every request passes before anything looks at it: the token."""

from typing import Any

from starlette.datastructures import Headers

from twin.api.problems import answer, of_status
from twin.api.token import shows

GUARDED = "/v1"
"""What needs the token; the description of the interface does not."""


class Guard:
    """Answers 401 without the token, whatever else is asked; the rest goes on to the app.

    Parameters
    ----------
    app : ASGI application
    token : str
    """

    def __init__(self, app: Any, *, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"].startswith(GUARDED):
            given = Headers(scope=scope).getlist("authorization")
            if len(given) != 1 or not shows(given[0], self._token):
                what = "the token is wrong" if given else "the token is missing"
                refusal = answer(of_status(401, what), {"WWW-Authenticate": "Bearer"})
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)
