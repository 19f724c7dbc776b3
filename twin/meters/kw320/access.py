"""Whether a write is allowed: every rule that refuses it, before anything is changed.

References
----------
KW320 manual 6.3 (one write stays inside one region), 6.3.1..6.3.8 (ranges), 4.7 (seal).
"""

from collections.abc import Mapping, Sequence

from twin.contracts import Refusal, TwinError
from twin.meters.kw320.data_log_settings import data_log_problem
from twin.meters.kw320.settings_registers import (
    MAX_PT1,
    MIN_PT1,
    WIRINGS,
    address_problem,
    pt1_tenths,
)
from twin.meters.register_map import Register, RegisterMap

SEALED = 0x0A
"""Value of seal_status (101FH) that seals the meter."""
RATED_VOLTAGE_LIMIT, PHASE_VOLTAGE_LIMIT = 690, 400
"""Largest rated voltage in 3LL, and in every other wiring (KW320 manual 6.3.8) [V]."""
CLOCK_SEAL_BIT = "4"
"""Bit of seal_optional_selection (101EH) that seals the clock but for small corrections."""


class RefusedError(TwinError, ValueError):
    """A write that the meter does not carry out."""

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(detail)
        self.refusal = refusal
        self.detail = detail


def raw_values(registers: RegisterMap, address: int, words: Sequence[int]) -> dict[Register, int]:
    """Return the raw value that a write gives to each register, in order of address.

    Parameters
    ----------
    registers : RegisterMap
    address : int
        First address.
    words : Sequence of int
        0..65535 each.

    Raises
    ------
    RefusedError
        An address does not exist or is read-only, the write spans two regions or half a register, or
        a value is out of its range.
    """
    values: dict[Register, int] = {}
    at = 0
    while at < len(words):
        register, word = registers.by_address.get(address + at, (None, 0))
        if register is None:
            raise RefusedError(Refusal.ILLEGAL_ADDRESS, f"there is no register {address + at:04X}H")
        if not register.writable:
            raise RefusedError(Refusal.ILLEGAL_ADDRESS, f"{label(register)} is read-only")
        if word or at + register.words > len(words):
            raise RefusedError(Refusal.ILLEGAL_ADDRESS, f"{label(register)} is two words, written at once")
        values[register] = _raw(register, words[at : at + register.words])
        at += register.words
    if len({register.region for register in values}) != 1:
        regions = ", ".join(dict.fromkeys(register.region for register in values))
        raise RefusedError(Refusal.ILLEGAL_ADDRESS, f"one write stays inside one region, not {regions}")
    for register, raw in values.items():
        if not register.allows(raw):
            detail = f"{label(register)}: {raw} is out of range {register.range_text}"
            raise RefusedError(Refusal.ILLEGAL_VALUE, detail)
    return values


def check_seal(values: Mapping[Register, int], settings: Mapping[str, int]) -> None:
    """Refuse what the seal forbids; the clock is left to its own rule.

    Raises
    ------
    RefusedError
        The meter is sealed and one of the registers with it.
    """
    for register in values:
        if register.seal != CLOCK_SEAL_BIT and is_sealed(register, settings):
            raise RefusedError(Refusal.SEALED, f"{label(register)} is sealed; open the seal (101FH) first")


def is_sealed(register: Register, settings: Mapping[str, int]) -> bool:
    """Return whether the seal covers a register now."""
    if settings["seal_status"] != SEALED or not register.seal:
        return False
    return register.seal == "always" or bool(settings["seal_optional_selection"] >> int(register.seal) & 1)


def check_settings(settings: Mapping[str, int], before: Mapping[str, int]) -> None:
    """Refuse settings that are each in range but not together, or that cannot change any more.

    Raises
    ------
    RefusedError
        PT1 is out of its range, the rated frequency is not that of the start, the data logs take more than
        there is, or the first port's address is none of its protocol.
    """
    if settings["rated_frequency"] != before["rated_frequency"]:
        detail = "rated_frequency (0FFDH) belongs to the type of the meter; it is fixed when it is installed"
        raise RefusedError(Refusal.ILLEGAL_VALUE, detail)
    limit = RATED_VOLTAGE_LIMIT if WIRINGS[settings["voltage_wiring"]] == "3LL" else PHASE_VOLTAGE_LIMIT
    if settings.get("rated_voltage", 0) > limit:
        detail = f"rated_voltage (8004H): {settings['rated_voltage']} V is out of range 50..{limit} V"
        raise RefusedError(Refusal.ILLEGAL_VALUE, detail)
    if not MIN_PT1 <= pt1_tenths(settings) <= MAX_PT1:
        detail = f"PT1 (1005H, 1006H): {pt1_tenths(settings) / 10:.1f} V is out of range 50.0..500000.0 V"
        raise RefusedError(Refusal.ILLEGAL_VALUE, detail)
    problem = data_log_problem(settings)
    if problem is not None:
        raise RefusedError(Refusal.ILLEGAL_VALUE, problem)
    if (problem := address_problem(settings)) is not None:
        raise RefusedError(Refusal.ILLEGAL_VALUE, f"address_1 (1001H): {problem}")


def label(register: Register) -> str:
    """Return a register's name and address as messages give them."""
    return f"{register.name} ({register.address:04X}H)"


def _raw(register: Register, words: Sequence[int]) -> int:
    raw = 0
    for word in words:
        if not 0 <= word <= 0xFFFF:
            raise RefusedError(Refusal.ILLEGAL_VALUE, f"{label(register)}: {word} is no 16-bit word")
        raw = raw << 16 | word
    bits = 16 * register.words
    return raw - (1 << bits) if register.signed and raw >> (bits - 1) else raw
