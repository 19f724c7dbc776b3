"""After the warm-up no kernel compiles any more, whatever happens at a site."""

import json
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "setting",
    [
        "load_profile: 60 s",
        "accuracy: ideal",
        "fidelity: sampled",
        "current_transformer: {burden: 20 VA}",
    ],
)
def test_nothing_compiles_once_time_has_started(tmp_path, setting):
    """In a process of its own: here, other tests have compiled kernels already."""
    command = [sys.executable, "-m", "tests.simulation.warmed_site", str(tmp_path), setting]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["new"] == {}
    assert found["events"] >= 2
    assert found["kernels"] > 25
