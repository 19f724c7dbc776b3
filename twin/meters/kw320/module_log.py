"""What masters did to a meter, and when it started, in words: the event log of its web module.

References
----------
KW320 manual 5.1.7.4.7 (event log: time, level, source, message).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from twin.contracts import CommandRecord, TruthEntry
from twin.meters.kw320.configuration import setting_registers
from twin.meters.kw320.meter import ACTIONS
from twin.meters.kw320.profile import register_map
from twin.meters.register_map import Register

RESTORED: Final = "power_restored"
"""Kind of the truth entries that tell of a supply that came back."""
_MOST_NAMED = 6


@dataclass(frozen=True, slots=True)
class ModuleEvent:
    """One line of the log."""

    time_ns: int
    """UTC [ns]."""
    level: Literal["Info", "Warning"]
    """``Info``; ``Warning`` for what was refused."""
    source: str
    """Who asked: ``modbus:head``, ``api``, ..; ``Others`` for what the module does by itself."""
    message: str


def module_events(
    profile: str, meter: str, commands: Iterable[CommandRecord], restored: Iterable[TruthEntry]
) -> list[ModuleEvent]:
    """Return the lines of a meter's log in order of time.

    Parameters
    ----------
    profile : str
        Of the meter.
    meter : str
        Its name.
    commands : iterable of CommandRecord
        In the order in which they were applied; those to others are passed over.
    restored : iterable of TruthEntry
        When its supply came back, and the module started. A supply that fails leaves no line: there is
        nothing then that could write one.
    """
    said = [module_event(profile, command) for command in commands if command.target == meter]
    starts = [ModuleEvent(entry.time_ns, "Info", "Others", "system rebooting") for entry in restored]
    return sorted([*starts, *(line for line in said if line is not None)], key=lambda line: line.time_ns)


def module_event(profile: str, command: CommandRecord) -> ModuleEvent | None:
    """Return what the log says of a command to a meter; None for one that sets none of its registers.

    Parameters
    ----------
    profile : str
        Of the meter.
    command : CommandRecord
    """
    message = _message_of(profile, command)
    if message is None:
        return None
    if command.refusal is not None:
        text = f"refused ({command.refusal}): {message}"
        return ModuleEvent(command.applied_ns, "Warning", command.source, text)
    return ModuleEvent(command.applied_ns, "Info", command.source, message)


def _message_of(profile: str, command: CommandRecord) -> str | None:
    arguments = command.arguments
    address, words, registers = (arguments.get(name) for name in ("address", "words", "registers"))
    if command.verb == "import_configuration" and isinstance(registers, Mapping):
        known = [one.name for one in setting_registers(profile) if one.name in registers]
        named = [f"{name} = {registers[name]}" for name in known]
        return f"import a configuration: set {_listed(named)}"
    if command.verb == "write_registers" and isinstance(address, int) and isinstance(words, Sequence):
        return _message(profile, address, [int(word) for word in words])
    return None


def _listed(named: Sequence[str]) -> str:
    """Return the first of some texts, and how many more there are."""
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return ", ".join(named[:_MOST_NAMED]) + more


def _message(profile: str, address: int, words: Sequence[int]) -> str:
    written = _written(profile, address, words)
    if not written:
        return f"write {len(words)} words to {address:04X}H"
    kinds = {register.source.partition(".")[0] for register, _ in written}
    if kinds == {"clock"}:
        shown = ", ".join(f"{register.name} {raw}" for register, raw in written)
        return f"set the clock: {shown}"
    actions = [register.name for register, raw in written if ACTIONS.get(register.name) == raw]
    if kinds == {"action"}:
        return ", ".join(name.replace("_", " ") for name in actions) or "no action"
    verb = "preset" if kinds <= {"energy", "past_energy"} else "set"
    named = [f"{register.name} = {raw}" for register, raw in written if register.source != "action"]
    also = "".join(f"; {name.replace('_', ' ')}" for name in actions)
    return f"{verb} {_listed(named)}{also}"


def _written(profile: str, address: int, words: Sequence[int]) -> list[tuple[Register, int]]:
    """Return the registers that a write reaches as wholes, with their raw values."""
    found = []
    at = 0
    while at < len(words):
        register, word = register_map(profile).by_address.get(address + at, (None, 0))
        if register is None or word or at + register.words > len(words):
            at += 1
            continue
        raw = 0
        for part in words[at : at + register.words]:
            raw = raw << 16 | part
        found.append((register, raw))
        at += register.words
    return found
