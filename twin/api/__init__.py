"""Control of a live site over HTTP: status, clock, events, switches, meters and records, behind a token."""

from twin.api.server import ControlServer, ListenError, serve
from twin.api.site import ControlledSite
from twin.api.token import TokenError, is_loopback, new_token, token_of

__all__ = [
    "ControlServer",
    "ControlledSite",
    "ListenError",
    "TokenError",
    "is_loopback",
    "new_token",
    "serve",
    "token_of",
]
