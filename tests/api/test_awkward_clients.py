"""Clients that send too much, nonsense, slowly, or all at once: the site runs on, and answers."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.live import LOGGING, TOKEN, Client, controlled

HEADERS = f"Host: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with controlled(tmp_path_factory.mktemp("awkward"), speed=10.0) as (url, session):
        yield url, session


def test_a_body_of_absurd_size_is_refused_before_it_is_there(site):
    url, _ = site
    ask = Client(url)
    assert ask("POST", "/v1/injections", raw=b'{"event": "' + b"x" * 70_000 + b'"}')[0] == 413
    head = f"POST /v1/injections HTTP/1.1\r\n{HEADERS}Content-Length: 100000000000\r\n\r\n"
    assert raw(url, head.encode()).startswith(b"HTTP/1.1 413")
    chunked = f"POST /v1/injections HTTP/1.1\r\n{HEADERS}Transfer-Encoding: chunked\r\n\r\n".encode()
    assert raw(url, chunked + (b"4000\r\n" + b"[" * 0x4000 + b"\r\n") * 5).startswith(b"HTTP/1.1 413")
    assert ask.done("GET", "/v1/status")


def raw(url, data):
    """Send bytes and return the beginning of what comes back."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(data)
        return connection.recv(65536)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 60_000, b"null", b"[]", b'"open"', b"\xff\xfe", b'{"to": NaN}', b'{"to": "\\ud800"}',
     b'{"\\ud800": 1, "to": "open"}', b'{"to": 1e999}', b'{"to": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_a_body_that_is_none_is_said_to_be(site, body):
    ask = Client(site[0])
    for path in ("/v1/switches/SW2", "/v1/injections"):
        status, answer = ask("POST", path, raw=body)
        assert status == 422, (path, answer)
        assert answer["mend"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
def test_other_content_types_are_no_json(site, kind):
    status, answer = Client(site[0])(
        "POST", "/v1/switches/CAP", raw=b'{"to": "closed"}', headers={"Content-Type": kind}
    )
    assert status == 422
    assert "application/json" in answer["findings"][0]["mend"]


@pytest.mark.parametrize("line", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"GET /v1/\xff HTTP/1.1\r\n\r\n"])
def test_what_is_no_http_is_answered_by_400(site, line):
    assert raw(site[0], line).startswith(b"HTTP/1.1 400")


def test_names_of_all_kinds_are_just_unknown(site):
    ask = Client(site[0])
    for name in (
        "%00",
        "%2e%2e%2fhead",
        "%f0%9f%94%8c",
        "%ff",
        "a" * 5000,
        "head%0d%0aX:%20y",
        "clock",
        "site",
    ):
        assert ask("POST", f"/v1/switches/{name}", {"to": "open"})[0] == 404, name
        assert ask("GET", f"/v1/meters/{name}")[0] == 404, name


def test_twenty_clients_at_once_are_all_answered_while_the_site_runs(site):
    url, session = site
    before, begun = session.latest().sim_ns, time.monotonic()

    def work(number):
        """Read, operate a switch, and read; a busy site may withdraw an order, but says so."""
        ask, reads, orders = Client(url), [], []
        for turn in range(5):
            reads.append(ask("GET", "/v1/status")[0])
            reads.append(ask("GET", "/v1/meters/head/registers?name=v1&name=p_sum")[0])
            to = "closed" if (number + turn) % 2 else "open"
            status, answer = ask("POST", "/v1/switches/CAP", {"to": to})
            orders.append((status, answer.get("mend", "")))
            reads.append(ask("GET", "/v1/commands?limit=5")[0])
        return reads, orders

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(work, range(20)))
    assert {status for reads, _ in found for status in reads} == {200}
    orders = [order for _, some in found for order in some]
    done = sum(status == 200 for status, _ in orders)
    doubtful = sum("is being carried out" in mend for _, mend in orders)
    withdrawn = sum("was withdrawn" in mend for _, mend in orders)
    assert done + doubtful + withdrawn == 100
    assert done >= 50
    took = time.monotonic() - begun
    assert (session.latest().sim_ns - before) / 1e9 > min(took, 5.0)  # at a speed of 10
    # What was done is in the log, in the order in which it was applied, and nothing that was withdrawn.
    ask = Client(url)
    logged = [entry for entry in eventually_logged(ask, done) if entry["target"] == "CAP"]
    assert [entry["sequence"] for entry in logged] == sorted(entry["sequence"] for entry in logged)
    assert done <= len(logged) <= done + doubtful
    assert {entry["refusal"] for entry in logged} == {None}


def eventually_logged(ask, least):
    deadline = time.monotonic() + 10
    while len(found := ask.done("GET", "/v1/commands?limit=1000")) < least and time.monotonic() < deadline:
        time.sleep(0.1)
    return found


def test_a_client_that_sends_nothing_holds_nobody_up(site):
    host, port = site[0].removeprefix("http://").split(":")
    silent = [socket.create_connection((host, int(port)), timeout=10) for _ in range(30)]
    try:
        for connection in silent:
            connection.sendall(b"POST /v1/clock/pause HTTP/1.1\r\n")
        begun = time.monotonic()
        assert Client(site[0]).done("GET", "/v1/status")
        assert time.monotonic() - begun < 5
    finally:
        for connection in silent:
            connection.close()


def test_fuzzing_of_the_whole_description_finds_nothing(tmp_path):
    with controlled(tmp_path, scenario=LOGGING, speed=10.0) as (url, session):
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli"),
                *("--config-file", str(Path(__file__).with_name("schemathesis.toml"))),
                *("run", f"{url}/openapi.json", "--header", f"Authorization: Bearer {TOKEN}"),
                *("--max-examples", "3", "--seed", "1", "--workers", "2", "--no-color"),
                *("--generation-database", "none"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        with urllib.request.urlopen(f"{url}/openapi.json", timeout=10) as answer:
            paths = json.load(answer)["paths"]
        operations = sum(len(path) for path in paths.values())
        assert operations > 20
        assert f"Tested: {operations}" in done.stdout
        assert session.running
