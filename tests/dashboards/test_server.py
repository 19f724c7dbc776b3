"""Serving: quickly up, quickly down, no other host needed, errors that name the mend."""

import gzip
import socket
import subprocess
import sys
import time
import urllib.request

import orjson
import pytest

from dashboards import DashboardError, create_app, serve
from tests.dashboards.synthetic import SyntheticSite
from twin.contracts import TwinError


@pytest.fixture
def site():
    return SyntheticSite()


@pytest.fixture
def app(site, tmp_path):
    return create_app(site, tmp_path / "recording", site.submit)


def _get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.headers, answer.read()


def _tick(client, seen, page="overview"):
    body = {
        "output": "..live.data...seen.data..",
        "outputs": [{"id": "live", "property": "data"}, {"id": "seen", "property": "data"}],
        "inputs": [{"id": "tick", "property": "n_intervals", "value": 1}],
        "state": [
            {"id": "seen", "property": "data", "value": seen},
            {"id": "page-name", "property": "data", "value": page},
        ],
        "changedPropIds": ["tick.n_intervals"],
    }
    return client.post("/_dash-update-component", json=body)


def test_served_whole_and_stopped(app):
    handle = serve(app, port=0)
    try:
        _, page = _get(handle.url)
        assert b"Site twin" in page
        # Nothing is fetched from elsewhere.
        assert b"https://" not in page
        assert b"cdn" not in page
        for name in ("live.js", "cells.js", "theme.css"):
            assert f"assets/{name}".encode() in page
    finally:
        handle.stop()
        handle.stop()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", handle.port), timeout=2)
    again = serve(app, port=handle.port)
    again.stop()


def test_a_port_in_use_is_named_with_its_mend(app):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(DashboardError, match=rf"port {port} .* in use; .* 0 for any free") as caught:
            serve(app, port=port)
    assert isinstance(caught.value, TwinError | OSError)


def test_an_address_of_another_machine(app):
    with pytest.raises(DashboardError, match=r"cannot listen on 192\.0\.2\.1"):
        serve(app, host="192.0.2.1", port=0)


def test_files_are_packed(app):
    handle = serve(app, port=0)
    try:
        headers, packed = _get(handle.url + "assets/live.js", **{"Accept-Encoding": "gzip"})
        _, plain = _get(handle.url + "assets/live.js")
    finally:
        handle.stop()
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed) == plain
    assert len(packed) < len(plain) / 2


def test_a_tick_answers_with_the_delta(app, site):
    client = app.server.test_client()
    first = _tick(client, -1).get_json()["response"]
    assert first["seen"]["data"] == site.latest().sequence
    assert len(first["live"]["data"]["meters"]) == 3
    assert _tick(client, site.latest().sequence).get_json()["response"] == {}
    site.advance()
    answer = _tick(client, first["seen"]["data"])
    assert answer.get_json()["response"]["live"]["data"]["sequence"] == site.latest().sequence
    assert len(answer.data) < 2_000


@pytest.mark.parametrize("page", ["overview", "alarms", "profile", "events"])
def test_every_page_has_its_payload(app, page):
    live = _tick(app.server.test_client(), -1, page).get_json()["response"]["live"]["data"]
    assert live["page"] == page
    assert live["banner"]["title"] == "Village feeder"


def test_headless_runs_import_no_pages():
    code = (
        "import sys, twin.contracts, twin.recording, twin.cli\n"
        "assert not any(m.split('.')[0] in ('dashboards', 'dash', 'flask', 'plotly') for m in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_up_within_two_seconds(tmp_path):
    code = (
        "import time; start = time.perf_counter()\n"
        "from dashboards import create_app, serve\n"
        "from tests.dashboards.synthetic import SyntheticSite\n"
        f"site = SyntheticSite(); handle = serve(create_app(site, {str(tmp_path)!r}, site.submit), port=0)\n"
        "import urllib.request; urllib.request.urlopen(handle.url, timeout=5).read()\n"
        "print(time.perf_counter() - start); handle.stop()"
    )
    # The best of three: other work on the machine is not the app's.
    times = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True
        )
        times.append(float(done.stdout.split()[-1]))
        if times[-1] < 2.0:
            break
    assert min(times) < 2.0


def test_a_tick_costs_little(app, site):
    client = app.server.test_client()
    _tick(client, -1)
    times = []
    for _ in range(30):
        seen = site.latest().sequence
        site.advance()
        start = time.perf_counter()
        answer = _tick(client, seen)
        times.append(time.perf_counter() - start)
        assert orjson.loads(answer.data)["response"]
    # Bytes and order of magnitude only: wall time belongs to the machine.
    assert sorted(times)[len(times) // 2] < 0.1
