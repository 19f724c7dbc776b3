"""The token that a client must show, and where one must be given."""

import hmac
import ipaddress
import re
import secrets

from twin.contracts import TwinError

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]{16,200}=*")


class TokenError(TwinError, ValueError):
    """A token that is no token, or that is needed and missing."""


def new_token() -> str:
    """Return a token that nobody can guess: 256 random bits."""
    return secrets.token_urlsafe(32)


def token_of(given: str | None, *, host: str) -> str:
    """Return the token to serve with on an address.

    Parameters
    ----------
    given : str or None
        What the operator has chosen; a new one is made on a loopback address when there is none.
    host : str
        Address that is listened on.

    Raises
    ------
    TokenError
        Too short, of characters that a header cannot carry, or missing on an address that others reach.

    References
    ----------
    RFC 6750, section 2.1: the characters of a bearer token.
    """
    if given is None:
        if not is_loopback(host):
            raise TokenError(f"'{host}' can be reached from elsewhere; give a token of your own")
        return new_token()
    if not _TOKEN.fullmatch(given):
        raise TokenError(
            "the token is not made of 16 to 200 letters, digits and -._~+/; "
            "make one with: python -c 'import secrets; print(secrets.token_urlsafe())'"
        )
    return given


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def shows(header: str, token: str) -> bool:
    """Return whether an Authorization header shows a token; takes equally long however wrong it is."""
    scheme, _, shown = header.partition(" ")
    same = hmac.compare_digest(shown.strip().encode(), token.encode())
    return scheme.lower() == "bearer" and same
