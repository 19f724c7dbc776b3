"""Which meters can be put on the bench."""

from collections.abc import Mapping
from typing import Final

from twin.calibrator.bench import Bench
from twin.calibrator.calibration import BenchFactory
from twin.contracts import BadInputError, Finding, Mark
from twin.documents import suggestion

REFERENCE: Final = "reference"
REGISTER_PROFILES: Final = ("kw320", "kw320q")
PROFILES: Final = (*REGISTER_PROFILES, REFERENCE)
"""Every profile that the bench knows."""


def bench_for(
    profile: str,
    *,
    voltage: float | None = None,
    current: float | None = None,
    seed: int = 0,
    ideal: bool = False,
    registers: Mapping[str, int] | None = None,
) -> BenchFactory:
    """Return what puts a meter of a profile on a bench of 50 or 60 Hz.

    Parameters
    ----------
    profile : str
        One of `PROFILES`.
    voltage, current : float, optional
        Declared voltage, line to neutral, and rated current; those of the profile without them [V, A].
    seed : int
        Settles the errors of the device.
    ideal : bool
        No errors of its inputs.
    registers : Mapping of str to int, optional
        Raw values of further setting registers of the meter.

    Raises
    ------
    BadInputError
        There is no such profile, or registers are set in one that has none.
    """
    if profile not in PROFILES:
        mend = suggestion(profile, PROFILES, "meters")
        raise BadInputError(Finding(Mark("command line"), "--meter", f"there is no meter '{profile}'", mend))
    if profile == REFERENCE and registers:
        what, mend = "the reference analyser has no registers", "leave --register out"
        raise BadInputError(Finding(Mark("command line"), "--register", what, mend))

    def reference(frequency: int) -> Bench:
        from twin.calibrator.analyser_bench import AnalyserBench  # noqa: PLC0415

        return AnalyserBench(frequency=frequency, voltage=voltage, current=current)

    def meter(frequency: int) -> Bench:
        from twin.calibrator.register_bench import RegisterBench  # noqa: PLC0415

        return RegisterBench(
            profile,
            frequency=frequency,
            voltage=voltage,
            current=current,
            seed=seed,
            ideal=ideal,
            registers=registers,
        )

    return reference if profile == REFERENCE else meter
