"""A private PostgreSQL server on a free loopback port, from the binaries of the machine."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path


def binaries():
    """The folder with ``initdb`` and ``postgres``; None where PostgreSQL is not installed."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


class Server:
    """A server with one database; ``url`` leads to it. ``durable`` off spares the disk, not the tests."""

    def __init__(self, *, durable=False):
        self._folder = Path(tempfile.mkdtemp(prefix="twin-postgres-"))
        self._user = []
        if os.geteuid() == 0:  # which PostgreSQL refuses
            shutil.chown(self._folder, "postgres", "postgres")
            self._user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        self._data = str(self._folder / "data")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"postgresql://twin@127.0.0.1:{self.port}/postgres"
        self._durable = "on" if durable else "off"
        self._run("initdb", "-D", self._data, "-U", "twin", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    def start(self):
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": self._durable,
            "max_connections": 20,
            "log_min_messages": "fatal",
            "timezone": "Asia/Kathmandu",  # which must not matter
        }
        options = [text for name, value in settings.items() for text in ("-c", f"{name}={value}")]
        command = [*self._user, str(binaries() / "postgres"), "-D", self._data, *options]
        self._process = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL)
        self._wait()

    def stop(self, *, how=signal.SIGINT):
        """End the server: SIGINT disconnects everybody, SIGQUIT is a crash."""
        self._process.send_signal(how)
        self._process.wait(30)

    def close(self):
        self.stop()
        shutil.rmtree(self._folder)

    def _run(self, program, *options):
        subprocess.run(
            [*self._user, str(binaries() / program), *options], cwd="/", check=True, capture_output=True
        )

    def _wait(self):
        import psycopg

        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.05)
            else:
                return


def missing():
    """Why there can be no server here; None when there can."""
    if binaries() is None:
        return "PostgreSQL is not installed"
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        return f"PostgreSQL does not run as {getpass.getuser()}, and setpriv is not installed"
    return None
