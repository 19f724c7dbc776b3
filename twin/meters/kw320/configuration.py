"""A meter's configuration as a whole: every setting register by name, to be kept and applied to another.

References
----------
KW320 manual 5.1.8.17 (configuration management).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from twin.documents import suggestion
from twin.meters.kw320.access import SEALED, is_sealed
from twin.meters.kw320.data_log_settings import LOGS, data_log_problem
from twin.meters.kw320.profile import register_map
from twin.meters.register_map import Register

FORMAT: Final = "twin meter configuration"
VERSION: Final = 1
MOST_WORDS: Final = 123
"""Registers in one write."""

_SEAL: Final = "seal_status"
_UNSEAL: Final = "leave it out, or break the seal with registers.seal_status = 0"
Problem = tuple[str, str, str]
"""Field, what is wrong, mend."""


def setting_registers(profile: str) -> tuple[Register, ...]:
    """Return the setting registers of a model in order of address."""
    return tuple(r for r in register_map(profile).registers if r.source == "setting")


def configuration_problems(
    profile: str, present: Mapping[str, int], given: Mapping[str, object]
) -> list[Problem]:
    """Return everything that keeps a meter from taking registers of a configuration.

    Parameters
    ----------
    profile : str
        Of the meter.
    present : Mapping of str to int
        Its setting registers by name.
    given : Mapping of str to object
        Raw values by name; those that are left out stay.
    """
    known = {register.name: register for register in setting_registers(profile)}
    problems: list[Problem] = []
    for name, value in given.items():
        field = f"registers.{name}"
        register = known.get(name)
        if register is None:
            mend = suggestion(name, known, "setting registers")
            problems.append((field, f"is no setting register of a {profile}", mend))
        elif value == present[name] and not isinstance(value, bool):
            continue  # it will not be written, whatever it is
        elif not isinstance(value, int) or isinstance(value, bool) or not register.allows(value):
            problems.append((field, f"{value!r} is out of range", f"use {register.range_text}"))
        elif is_sealed(register, present) and given.get(_SEAL, SEALED) == SEALED:
            problems.append((field, f"is sealed ({register.address:04X}H)", _UNSEAL))
    if not problems:
        wanted = {**present, **{name: value for name, value in given.items() if isinstance(value, int)}}
        if wanted["rated_frequency"] != present["rated_frequency"]:
            what = "belongs to the type of the meter and cannot be set"
            problems.append(("registers.rated_frequency", what, "leave it out"))
        if (problem := data_log_problem(wanted)) is not None:
            field, _, what = problem.partition(": ")
            problems.append((f"registers.{field}", what, "give the logs less"))
    return problems


def configuration_writes(
    profile: str, present: Mapping[str, int], wanted: Mapping[str, int]
) -> list[tuple[int, tuple[int, ...]]]:
    """Return the writes that change what differs: first address and words of each, in their order.

    Data logs that give sectors up come before those that take them; the seal is broken first and set last,
    each by itself, for one write is sealed as a whole.

    Parameters
    ----------
    profile : str
    present, wanted : Mapping of str to int
        Raw values by name; of ``wanted`` some may be left out.
    """
    changed = [
        r for r in setting_registers(profile) if wanted.get(r.name, present[r.name]) != present[r.name]
    ]
    writes: list[list[Register]] = []
    for register in changed:
        last = writes[-1] if writes else []
        if (
            last
            and _SEAL not in (last[-1].name, register.name)
            and last[-1].region == register.region
            and last[-1].address + last[-1].words == register.address
            and register.address + register.words - last[0].address <= MOST_WORDS
        ):
            last.append(register)
        else:
            writes.append([register])
    writes.sort(key=lambda write: _turn(write[0], present, wanted))
    return [
        (write[0].address, tuple(word for one in write for word in _words(one, wanted[one.name])))
        for write in writes
    ]


def _turn(register: Register, present: Mapping[str, int], wanted: Mapping[str, int]) -> int:
    """Return when the registers of a region are written, before or after others."""
    if register.name == _SEAL:
        return -2 if present[_SEAL] == SEALED else 2
    for log in range(1, LOGS + 1):
        name = f"log{log}_registers_sectors"
        if register.region == f"log{log}_settings":
            taken = (wanted.get(name, present[name]) & 0xFF) - (present[name] & 0xFF)
            return -1 if taken < 0 else 1 if taken > 0 else 0
    return 0


def settings_of(profile: str, words: Mapping[int, int]) -> dict[str, int]:
    """Return the raw values of the setting registers among words by address."""
    return {
        r.name: _raw(r, [words[r.address + k] for k in range(r.words)]) for r in setting_registers(profile)
    }


def _words(register: Register, raw: int) -> tuple[int, ...]:
    """Return the words of a raw value, high word first."""
    return tuple(raw >> 16 * shift & 0xFFFF for shift in reversed(range(register.words)))


def _raw(register: Register, words: Sequence[int]) -> int:
    raw = 0
    for word in words:
        raw = raw << 16 | word
    bits = 16 * register.words
    return raw - (1 << bits) if register.signed and raw >> (bits - 1) else raw
