"""Where a web server of this program listens: pages, or an interface."""

import errno
import socket

from twin.contracts import TwinError


class WebListenError(TwinError, OSError):
    """A web server cannot be served at the given address."""


def open_web_listener(
    host: str, port: int, *, of: str, port_name: str, error: type[WebListenError]
) -> socket.socket:
    """Return a socket that listens for a web server.

    Parameters
    ----------
    host : str
        Address to listen on.
    port : int
        TCP port; 0 takes any free one.
    of : str
        What is served, for people: ``the dashboard``.
    port_name : str
        What its port is called where another one is to be given: ``dashboard port``.
    error : type
        What to raise.

    Raises
    ------
    WebListenError
        Of the type asked for: the port is in use or may not be opened, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as reason:
        raise error(_explain(reason, host, port, of, port_name)) from reason


def local_url(listener: socket.socket) -> str:
    """Return where a client on this machine finds what listens, without a slash at the end."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _explain(error: OSError, host: str, port: int, of: str, port_name: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; give another {port_name}, or 0 for any free one"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} may not be opened by this user; give a {port_name} above 1023"
    reason = error.strerror or str(error)
    return f"{of} cannot listen on {host} port {port} ({reason}); check the address"
