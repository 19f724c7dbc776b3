"""Equal input gives equal bits, whatever instructions the environment asks for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from twin.cli.launcher import PINNED, UNSET, pinned_environment

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FEATURES_OFF = {
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
    "OPENBLAS_NUM_THREADS": "2",
}
SHOW = """
import os, sys
from twin.cli import launcher
launcher.pin()
import json, numpy
from numpy._core._multiarray_umath import __cpu_features__ as found
from numba.core import config
print(json.dumps({
    "pid": os.getpid(), "arguments": sys.argv[1:], "threads": os.environ["OPENBLAS_NUM_THREADS"],
    "cpu": config.CPU_NAME, "v4": found["X86_V4"], "tunables": os.environ.get("GLIBC_TUNABLES"),
}))
"""


def test_what_is_pinned_replaces_what_was_asked_for():
    environment = pinned_environment({"HOME": "/home/x", **FEATURES_OFF})
    assert environment == {"HOME": "/home/x", **PINNED}
    assert pinned_environment(environment) == environment
    assert not set(UNSET) & set(environment)


def test_the_process_begins_anew_with_the_same_arguments():
    command = [sys.executable, "-c", SHOW, "one", "two words"]
    started = subprocess.Popen(command, env=os.environ | FEATURES_OFF, stdout=subprocess.PIPE, text=True)
    shown = json.loads(started.communicate(timeout=60)[0])
    assert started.returncode == 0
    assert shown == {
        "pid": started.pid, "arguments": ["one", "two words"], "threads": "1", "cpu": "x86-64-v3",
        "v4": False, "tunables": None,
    }  # fmt: skip


@pytest.mark.slow
def test_a_storm_has_one_content_hash_with_features_forced_off(tmp_path):
    """Faults excite modes, whose eigenvalues would differ in their last bits."""
    hashes = set()
    for name, environment in (("as it is", {}), ("off", FEATURES_OFF)):
        out = tmp_path / name
        command = [sys.executable, "-m", "twin.cli", "run", str(SCENARIOS / "feeder-faults.yaml")]
        command += ["--duration", "10 min", "--out", str(out), "--quiet", "--json"]
        done = subprocess.run(
            command, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=True
        )
        hashes.add(json.loads(done.stdout)["content_hash"])
    assert len(hashes) == 1
