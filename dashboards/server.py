"""Serves the pages from a thread, so that the simulation keeps its own."""

import errno
import logging
import threading
from typing import Any

from twin.contracts import TwinError

_THREADS = 8


class DashboardError(TwinError, OSError):
    """The pages cannot be served at the given address."""


class ServerHandle:
    """A running web server."""

    def __init__(self, server: Any, host: str) -> None:
        self._server = server
        self.port: int = server.effective_port
        """TCP port, also where any free one was asked for."""
        shown = f"[{host}]" if ":" in host else {"0.0.0.0": "127.0.0.1", "": "127.0.0.1"}.get(host, host)
        self.url = f"http://{shown}:{self.port}/"
        """Where a browser on this machine finds the pages."""
        self._thread = threading.Thread(target=server.run, name="dashboard", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and free the port; a second call does nothing."""
        if not self._thread.is_alive():
            return
        self._server.close()
        self._thread.join(timeout=5)
        self._server.task_dispatcher.shutdown(cancel_pending=True, timeout=2)


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
    from waitress import create_server  # noqa: PLC0415 - only needed when pages are served

    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        server = create_server(
            app.server, host=host, port=port, threads=_THREADS, clear_untrusted_proxy_headers=True
        )
    except OSError as error:
        raise DashboardError(_explain(error, host, port)) from error
    return ServerHandle(server, host)


def _explain(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; give another dashboard port, or 0 for any free one"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} may not be opened by this user; give a dashboard port above 1023"
    reason = error.strerror or str(error)
    return f"the dashboard cannot listen on {host} port {port} ({reason}); check the address"
