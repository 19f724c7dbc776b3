"""The settings of a meter at some time of a recorded session: as it was installed, and what masters wrote."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from twin.contracts import CommandRecord
from twin.meters.kw320.access import RefusedError
from twin.meters.kw320.config import MeterConfig
from twin.meters.kw320.configuration import configuration_writes
from twin.meters.kw320.meter import Kw320Meter


def recorded_configuration(
    config: MeterConfig, commands: Iterable[CommandRecord], *, start_ns: int
) -> Mapping[str, int]:
    """Return the raw values of a meter's setting registers, by name, after some commands.

    What a measurement fault of the scenario sets by hand is left out.

    Parameters
    ----------
    config : MeterConfig
        As the scenario installed it.
    commands : iterable of CommandRecord
        In the order in which they were applied; those to others, and those that were refused, do nothing.
    start_ns : int
        When the scenario starts, UTC [ns].
    """
    meter = Kw320Meter(config, start_ns=start_ns)
    for command in commands:
        if command.target == config.name and command.refusal is None:
            for address, words in _writes(meter, command):
                with suppress(RefusedError):  # by an older twin it was carried out
                    meter.write(address, words, command.applied_ns)
    return meter.raw


def _writes(meter: Kw320Meter, command: CommandRecord) -> Sequence[tuple[int, Sequence[int]]]:
    arguments = command.arguments
    address, words, registers = (arguments.get(name) for name in ("address", "words", "registers"))
    if command.verb == "write_registers" and isinstance(address, int) and isinstance(words, Sequence):
        return [(address, words)]
    if command.verb == "import_configuration" and isinstance(registers, Mapping):
        return configuration_writes(meter.config.profile, meter.raw, registers)
    return []
