"""Nobody does anything without the token, and nobody learns it by trying."""

import hmac
import signal
import socket

import pytest

from tests.api.live import QUIET, TOKEN, Client, controlled
from tests.cli.test_serve import served
from tests.sites import write_site
from twin.api import TokenError, is_loopback, new_token, token_of
from twin.api.token import shows
from twin.cli import main
from twin.cli.control import control_settings
from twin.scenario import load_scenario


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with controlled(tmp_path_factory.mktemp("token")) as (url, _):
        yield url


def paths(url):
    described = Client(url, token=None).done("GET", "/openapi.json")
    return [(method.upper(), path) for path, found in described["paths"].items() for method in found]


@pytest.mark.parametrize("token", [None, "wrong-but-of-the-right-form", TOKEN[:-1], TOKEN + "x", "", "ä"])
def test_no_operation_answers_without_the_token(url, token):
    wrong = Client(url, token=None)
    headers = {} if token is None else {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
    for method, path in paths(url):
        status, answer = wrong(method, path, headers=headers)
        assert (status, answer["findings"]) == (401, []), (method, path)
        assert "ready file" in answer["mend"]
    assert wrong("GET", "/v1/what-does-not-exist", headers=headers)[0] == 401


@pytest.mark.parametrize("header", [f"Basic {TOKEN}", TOKEN, f"Bearer{TOKEN}", "Bearer"])
def test_other_schemes_are_no_token(url, header):
    assert Client(url, token=None)("GET", "/v1/status", headers={"Authorization": header})[0] == 401


def test_two_tokens_are_none(url):
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        one = f"Authorization: Bearer {TOKEN}\r\n"
        connection.sendall(
            f"GET /v1/status HTTP/1.1\r\nHost: x\r\n{one}{one}Connection: close\r\n\r\n".encode()
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 401")


def test_the_body_is_not_even_looked_at_without_the_token(url):
    assert Client(url, token=None)("POST", "/v1/clock/step", raw=b"{")[0] == 401


def test_the_comparison_takes_equally_long(monkeypatch):
    seen = []
    real = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda a, b: seen.append((a, b)) or real(a, b))
    assert shows(f"Bearer {TOKEN}", TOKEN)
    assert shows(f"bearer  {TOKEN} ", TOKEN)
    assert not shows("Bearer nonsense", TOKEN)
    assert not shows(f"Basic {TOKEN}", TOKEN)
    assert [pair[1] for pair in seen] == [TOKEN.encode()] * 4


def test_tokens_are_made_and_checked():
    made = token_of(None, host="127.0.0.1")
    assert len(made) >= 43
    assert made != new_token()
    assert token_of(TOKEN, host="0.0.0.0") == TOKEN
    for wrong in ("short", "with a space in the middle", "ä" * 20, "x" * 300):
        with pytest.raises(TokenError):
            token_of(wrong, host="127.0.0.1")
    with pytest.raises(TokenError, match="reached from elsewhere"):
        token_of(None, host="0.0.0.0")


@pytest.mark.parametrize(
    ("host", "inside"),
    [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True), ("0.0.0.0", False),
     ("::", False), ("192.168.1.4", False), ("meters.example", False)],
)  # fmt: skip
def test_loopback_is_known(host, inside):
    assert is_loopback(host) is inside


def test_serving_prints_a_token_that_it_made_and_tells_the_ready_file(tmp_path):
    with served(write_site(tmp_path, scenario=QUIET), tmp_path, "--api-port", "0") as (ready, process):
        assert Client(ready["api"], ready["api_token"]).done("GET", "/v1/status")["meters"][0][
            "endpoints"
        ] == [{key: ready["endpoints"][0][key] for key in ("protocol", "host", "port", "device", "unit")}]
        assert (tmp_path / "ready.json").stat().st_mode & 0o077 == 0
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert f"control    {ready['api']}  token {ready['api_token']}" in out


def test_without_being_asked_for_there_is_no_interface(tmp_path):
    loaded = load_scenario(write_site(tmp_path, scenario=QUIET))
    assert control_settings(loaded, bind="0.0.0.0", port=None, token=TOKEN) is None


def test_a_scenario_may_say_where_and_with_which_token(tmp_path):
    scenario = QUIET + f"api: {{port: 0, token: {TOKEN}}}\n"
    with served(write_site(tmp_path, scenario=scenario), tmp_path) as (ready, process):
        assert Client(ready["api"], TOKEN).done("GET", "/v1/status")["title"] == "A little site"
        Client(ready["api"], TOKEN).done("POST", "/v1/clock/pause")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert TOKEN not in out  # who chose it knows it
    # A recording keeps the scenario, so that it can be lived again; others may read it.
    for file in (tmp_path / "recording").rglob("*"):
        assert not file.is_file() or TOKEN.encode() not in file.read_bytes()


@pytest.fixture
def refused(tmp_path, capsys, monkeypatch):
    """Serve what cannot be served, and give what is said about it."""

    def serve(*options, scenario=QUIET, token=None):
        path = write_site(tmp_path, scenario=scenario)
        with monkeypatch.context() as environment:
            if token is not None:
                environment.setenv("TWIN_API_TOKEN", token)
            status = main(["serve", str(path), *options, "--out", str(tmp_path / "recording")])
        assert (status, (tmp_path / "recording").exists()) == (2, False)
        return capsys.readouterr().err

    return serve


def test_elsewhere_a_token_has_to_be_chosen(refused):
    text = refused("--api-port", "0", "--bind", "0.0.0.0")
    assert "'0.0.0.0' can be reached from elsewhere; give a token of your own" in text
    text = refused(scenario=QUIET + 'api: {port: 0, host: "::"}\n')
    assert "scenario.yaml" in text
    assert "api.token" in text


def test_a_token_that_is_none_and_a_port_in_use_are_found(refused):
    assert "TWIN_API_TOKEN" in refused("--api-port", "0", token="short")
    assert "api.token" in refused(scenario=QUIET + "api: {port: 0, token: short}\n")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert f"port {port} of 127.0.0.1 is in use" in refused("--api-port", port)
