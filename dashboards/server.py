"""Serves the pages from a thread, so that the simulation keeps its own."""

import logging
import socket
import threading
from typing import Any

from twin.protocols.web_listener import WebListenError, local_url, open_web_listener

_THREADS = 8
_IN_MEMORY = 64 * 2**20
"""An answer up to this size waits in memory, not in a file [byte]."""


class DashboardError(WebListenError):
    """The pages cannot be served at the given address."""


class ServerHandle:
    """A running web server; obtained from ``serve``."""

    def __init__(self, app: Any, listener: socket.socket) -> None:
        # Only needed when pages are served.
        from waitress import create_server  # noqa: PLC0415
        from waitress.channel import HTTPChannel  # noqa: PLC0415

        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        self.host, self.port = listener.getsockname()[:2]
        """Address and TCP port, also where any free one was asked for."""
        self.url = f"{local_url(listener)}/"
        """Where a browser on this machine finds the pages."""
        self._channel = HTTPChannel
        self._connections: dict[int, Any] = {}
        self._server = create_server(
            app.server,
            map=self._connections,
            sockets=[listener],
            threads=_THREADS,
            outbuf_overflow=_IN_MEMORY,
            clear_untrusted_proxy_headers=True,
        )
        self._thread = threading.Thread(target=self._server.run, name="dashboard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port; a second call does nothing."""
        if not self._thread.is_alive():
            return
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=5)
        # The loop owns its sockets: it is told to close them, and ends when it has none left.
        self._server.trigger.pull_trigger(self._close_all)
        self._thread.join(timeout=5)

    def _close_all(self) -> None:
        for connection in list(self._connections.values()):
            # A channel's handle_close also lets go of what is still to be sent.
            (connection.handle_close if isinstance(connection, self._channel) else connection.close)()


def serve(app: Any, host: str = "127.0.0.1", port: int = 8050) -> ServerHandle:
    """Start serving an app and return at once.

    Parameters
    ----------
    app : dash.Dash
        From ``create_app``.
    host : str
        Address to listen on.
    port : int
        TCP port; 0 takes any free one.

    Raises
    ------
    DashboardError
        The port is in use or may not be opened, or the address is not of this machine.
    """
    listener = open_web_listener(
        host, port, of="the dashboard", port_name="dashboard port", error=DashboardError
    )
    return ServerHandle(app, listener)
