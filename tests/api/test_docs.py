"""The examples of the page are run, in their order, against a live site."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.api.live import NETWORK, QUIET
from tests.cli.test_serve import served
from tests.sites import write_site
from twin.recording import Recording

PAGE = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples use curl")
def test_every_example_of_the_page_works(tmp_path):
    examples = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) == 9
    site = write_site(tmp_path, scenario=QUIET, network=NETWORK)
    with served(site, tmp_path, "--api-port", "0") as (_, process):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(examples)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert process.poll() is None
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert '"title":"A little site"' in done.stdout
    assert '"type":"sag"' in done.stdout
    assert (tmp_path / "capture.csv").read_text().startswith("time_s,va_v")
    verbs = [entry.verb for entry in Recording.open(tmp_path / "recording").commands()]
    assert verbs == ["inject", "inject", "inject", "open", "close", "raise"]
