"""Which of a COMTRADE file's channels are va, vb, vc, ia, ib, ic."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from twin.contracts import BadInputError, Finding, Mark
from twin.documents import nearest
from twin.recording.comtrade import AnalogChannel
from twin.recording.sample_checks import CHANNELS, unit_of

UNITS: Final = {
    "v": ("V", 1.0), "volt": ("V", 1.0), "volts": ("V", 1.0), "kv": ("V", 1e3),
    "a": ("A", 1.0), "amp": ("A", 1.0), "amps": ("A", 1.0), "ampere": ("A", 1.0), "amperes": ("A", 1.0),
    "ka": ("A", 1e3),
}  # fmt: skip
"""Units in any case, and what one of them is."""
MILLI_UNITS: Final = {"mV": ("V", 1e-3), "mA": ("A", 1e-3), "MV": ("V", 1e6)}
"""Units whose letter case matters; ``MA`` could be either and is none."""

_NAME: Final = {
    "V": re.compile(r"[VUE](L?)([ABCRST123])[NGE]?"),
    "A": re.compile(r"I(L?)([ABCRST123])[NG]?"),
}
_PHASE: Final = re.compile(r"(L?)([ABCRST123])[NGE]?")
_FAMILIES: Final = ("ABC", "L123", "RST", "123")
_LETTERS: Final = dict(zip("ABCRST123", "abcabcabc", strict=True))
_WHOLE: Final = frozenset({"RST", "123"})
"""Sets that count only when complete: VS is often a synchronising voltage, V1 a positive sequence."""


def unit_scale(unit: str) -> tuple[str, float] | None:
    """Return ``V`` or ``A`` and what one of the unit is in it; None for any other unit."""
    text = unit.strip().strip("[]()").strip()
    return MILLI_UNITS.get(text) or UNITS.get(text.lower())


def assign_channels(
    analog: Sequence[AnalogChannel], channels: Mapping[str, str] | None, file: str
) -> dict[str, int]:
    """Return the index of the analog channel that is ``va``, ``vb``, .., in this order.

    Voltages are looked for among channels in V (kV, mV), currents among those in A (kA, mA). For each:

    1. The name, without blanks and punctuation: V, U or E (I for a current), an optional L, the phase, and
       an optional N, G or E: ``Va``, ``U_L1``, ``V A-N``, ``IL2``.
    2. If no name tells, the field for the phase: ``A``, ``L1``, ``AN``.

    Phases are A, B, C, or else L1, L2, L3, or else R, S, T or 1, 2, 3; the latter two only when all three
    are there. The first that finds anything holds. Voltages between phases (``Vab``, ``U21``) and residual
    quantities (``Vn``, ``3I0``) are never assigned.

    Parameters
    ----------
    analog : sequence of AnalogChannel
        The file's channels.
    channels : mapping, optional
        Assignment by the user: ``va`` to a name, or to a number as ``#7``. It replaces all rules.
    file : str
        Path of the configuration, for messages.

    Raises
    ------
    BadInputError
        When no voltage is found, two channels claim the same place, or a unit is wrong.
    """
    if channels is not None:
        chosen, findings = _by_user(analog, channels, file)
    else:
        chosen, findings = _by_rules(analog, file)
    if not findings and not any(channel in chosen for channel in CHANNELS[:3]):
        listed = ", ".join(f"{channel.name} [{channel.unit}]" for channel in analog[:12])
        more = ", .." if len(analog) > 12 else ""
        what = f"no voltage channel is recognised among {listed or 'no analog channels'}{more}"
        volts = [channel.name for channel in analog if (unit_scale(channel.unit) or " ")[0] == "V"]
        mend = f"say which one it is, for example va={volts[0] if volts else 'NAME'}"
        findings.append(Finding(Mark(file), "channels", what, mend))
    if findings:
        raise BadInputError(*findings)
    return {channel: chosen[channel] for channel in CHANNELS if channel in chosen}


def _by_rules(analog: Sequence[AnalogChannel], file: str) -> tuple[dict[str, int], list[Finding]]:
    chosen: dict[str, int] = {}
    findings = []
    for kind in ("V", "A"):
        right = [k for k, channel in enumerate(analog) if (unit_scale(channel.unit) or " ")[0] == kind]
        claims = _claims(analog, right, kind)
        for place, claimants in claims.items():
            if len(claimants) > 1:
                named = " and ".join(analog[k].name for k in claimants)
                what = f"{named} may each be {place}"
                mend = f"say which one it is, for example {place}={analog[claimants[0]].name}"
                findings.append(Finding(Mark(file), "channels", what, mend))
            chosen[place] = claimants[0]
        named_so = _claims(analog, range(len(analog)), kind, names_only=True)
        for place, claimants in named_so.items():
            if place not in chosen:
                channel = analog[claimants[0]]
                what = f"wrong unit: {place} is in '{channel.unit}'"
                mend = f"state {kind}, k{kind} or m{kind} in the configuration file"
                findings.append(Finding(Mark(file), channel.name, what, mend))
    return chosen, findings


def _claims(
    analog: Sequence[AnalogChannel], indices: Sequence[int], kind: str, *, names_only: bool = False
) -> dict[str, list[int]]:
    """Return which channels claim a place, by the first rule that finds any."""
    by_name = [(k, _NAME[kind].fullmatch(_plain(analog[k].name))) for k in indices]
    by_phase = [(k, _PHASE.fullmatch(_plain(analog[k].phase))) for k in indices]
    for source in [by_name] if names_only else [by_name, by_phase]:
        for family in _FAMILIES:
            claims: dict[str, list[int]] = {}
            for k, found in source:
                if found is not None and _family(found[1], found[2]) == family:
                    claims.setdefault(kind.replace("A", "I").lower() + _LETTERS[found[2]], []).append(k)
            if claims and (len(claims) == 3 or family not in _WHOLE):
                return claims
    return {}


def _family(line: str, letter: str) -> str:
    if letter in "123":
        return "L123" if line else "123"
    return "" if line else "ABC" if letter in "ABC" else "RST"


def _plain(name: str) -> str:
    """Return a name without blanks, punctuation and what stands in brackets, in capitals."""
    return re.sub(r"\(.*?\)|\[.*?\]|[\s_\-.:/]", "", name).upper()


def _by_user(
    analog: Sequence[AnalogChannel], channels: Mapping[str, str], file: str
) -> tuple[dict[str, int], list[Finding]]:
    chosen: dict[str, int] = {}
    findings = []
    for place, name in channels.items():
        field = f"channels.{place}"
        if place not in CHANNELS:
            mend = f"known are {', '.join(CHANNELS)}"
            findings.append(Finding(Mark(file), field, "is an unknown channel", mend))
            continue
        found = _find(analog, name)
        if len(found) != 1:
            what = f"{len(found)} channels are called '{name}'" if found else f"there is no channel '{name}'"
            close = nearest(name, [channel.name for channel in analog])
            mend = (
                f"did you mean '{close}'" if close and not found else "name it by its number, for example #1"
            )
            findings.append(Finding(Mark(file), field, what, mend))
            continue
        channel, wanted = analog[found[0]], unit_of(place)
        if (unit_scale(channel.unit) or " ")[0] != wanted:
            what = f"wrong unit: '{channel.name}' is in '{channel.unit}'"
            mend = f"choose a channel in {wanted}, or correct the unit in the configuration file"
            findings.append(Finding(Mark(file), field, what, mend))
        chosen[place] = found[0]
    return chosen, findings


def _find(analog: Sequence[AnalogChannel], name: str) -> list[int]:
    """Return the channels of a name: exactly, else in any case, else by number."""
    text = name.strip()
    exact = [k for k, channel in enumerate(analog) if channel.name == text]
    loose = [k for k, channel in enumerate(analog) if channel.name.lower() == text.lower()]
    number = [k for k, channel in enumerate(analog) if text == f"#{channel.number}"]
    return exact or loose or number
