"""Start the program on the same instructions everywhere, so that equal input gives equal bits.

NumPy, OpenBLAS and numba choose instructions by what the processor offers, and the last bit of an
exponential or of an eigenvalue follows from the choice. They decide when they are loaded, so that the
process has to begin anew where its environment says something else.
"""

import os
import sys

LEVEL = "x86-64-v3"
"""What every x86-64 processor since 2013 can do: AVX2 and FMA, not AVX-512."""

PINNED = {
    "NUMBA_CPU_NAME": LEVEL,
    "NUMBA_CPU_FEATURES": "",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
"""What the environment of the process is set to."""

UNSET = ("GLIBC_TUNABLES", "NPY_ENABLE_CPU_FEATURES")
"""What it must not hold."""


def pinned_environment(environment: dict[str, str]) -> dict[str, str]:
    """Return an environment with the instructions pinned."""
    kept = {name: value for name, value in environment.items() if name not in UNSET}
    return kept | PINNED


def pin() -> None:
    """Begin the process anew with the instructions pinned, unless they are."""
    present = dict(os.environ)
    wanted = pinned_environment(present)
    if wanted != present:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], wanted)


def main() -> int:
    """Run the ``twin`` command on pinned instructions."""
    pin()
    from twin.cli.command import main as run  # noqa: PLC0415

    return run()
