import subprocess
import sys

import pytest


@pytest.mark.parametrize("room", ["signals", "metrology"])
def test_names_are_had_without_a_compiler(room):
    """Checking a scenario needs functions to refer to, not compiled ones."""
    code = f"import sys, twin.{room}; sys.exit('numba' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
