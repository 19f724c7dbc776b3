"""Gzip for what is sent: files once, answers lightly."""

import gzip
from functools import lru_cache

from flask import Flask, Response, request

_WORTH = 1_000
_TYPES = ("application/json", "text/", "application/javascript", "image/svg")
_FILES = ("/_dash-component-suites/", "/assets/")


@lru_cache(maxsize=32)
def _packed(body: bytes) -> bytes:
    return gzip.compress(body, 6)


def compress_responses(server: Flask) -> None:
    """Make a server gzip every text of a kilobyte or more for browsers that accept it.

    Files keep their packed form in memory; answers are packed at the fastest level, being sent once each.
    """

    @server.after_request
    def pack(response: Response) -> Response:
        accepted = "gzip" in request.headers.get("Accept-Encoding", "")
        packable = response.status_code == 200 and "Content-Encoding" not in response.headers
        if not accepted or not packable or not str(response.content_type).startswith(_TYPES):
            return response
        response.direct_passthrough = False
        body: bytes = response.get_data()
        if len(body) < _WORTH:
            return response
        is_file = request.path.startswith(_FILES)
        response.set_data(_packed(body) if is_file else gzip.compress(body, 1))
        response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        return response
