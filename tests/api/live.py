"""A live site with its control interface, and a client of the standard library alone."""

import json
import urllib.error
import urllib.request
from contextlib import contextmanager

from tests.sites import NETWORK as LITTLE
from tests.sites import SCENARIO, write_site
from twin.api import ControlledSite, serve
from twin.recording import place_of
from twin.scenario import load_scenario
from twin.simulation import build_site

TOKEN = "a-token-of-16-characters-or-more"
NETWORK = (
    LITTLE.replace("[HOME, 400]]", "[HOME, 400], [SUB, 400]]")
    + """
transformers:
  - {name: T, hv: MAIN, lv: SUB, s_rated_va: 100000, u_hv_v: 400, u_lv_v: 400, vk_percent: 4, vkr_percent: 1,
     vector_group: Dyn5, tap_side: hv, tap_min: -1, tap_max: 1, tap_step_percent: 2.5}
tap_changers:
  - {name: AVR, transformer: T, u_set_v: 231, bandwidth_v: 30, pt_ratio: 1, delay_s: 30, tap_delay_s: 3}
"""
)
"""The little network with a tap changer."""
QUIET = SCENARIO.split("events:", maxsplit=1)[0] + "dashboard: null\n"
"""The little site, on which nothing happens of itself."""

LOGGING = QUIET.replace(
    "    ct: 50:5\n",
    """\
    ct: 50:5
    load_profile: 1 min
    loggers:
      - {quantities: [v1, ep_imp], values: [instantaneous, minimum, maximum, average], interval: 15 s}
    data_logs: [{log: 1, quantities: [v1, ep_imp], interval: 1 min, sectors: 2}]
""",
)
"""The same; one meter keeps a load profile, a logger and a data log."""


@contextmanager
def controlled(folder, *, scenario=QUIET, speed=1.0):
    """Serve a site until the end of the block; gives the server's address and the session."""
    loaded = load_scenario(write_site(folder, scenario=scenario, network=NETWORK))
    site = build_site(loaded)
    site.record_to(folder / "recording", overwrite=False)
    session = site.live(speed=speed)
    session.open()
    session.start()
    seen = ControlledSite(
        session=session,
        recording=place_of(folder / "recording"),
        end_ns=loaded.end_ns,
        endpoints=list,
        dashboard=lambda: None,
        findings=site.injector.findings,
    )
    server = serve(seen, TOKEN)
    try:
        yield server.url, session
    finally:
        server.stop()
        session.stop()
        site.close()
    assert session.failure is None


class Client:
    """Asks an interface, and gives status and decoded body."""

    def __init__(self, url, token=TOKEN):
        self.url = url
        self.token = token

    def __call__(self, method, path, body=None, *, headers=None, raw=None):
        data = raw if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if data is not None else {}
        if self.token is not None:
            given["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers=given | (headers or {})
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, _decoded(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error)

    def done(self, method, path, body=None):
        """Ask, and give the body of the success that it has to be."""
        status, answer = self(method, path, body)
        assert status == 200, (status, answer)
        return answer


def _decoded(answer):
    text = answer.read().decode()
    return json.loads(text) if answer.headers.get_content_type() == "application/json" else text
