"""Commands to the registers of a meter: a master's write, and a configuration as a whole."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from twin.contracts import Refusal
from twin.meters import Fleet
from twin.simulation.io_commands import METER_INPUTS, Outcome


def write_registers(fleet: Fleet, meter: int, arguments: Mapping[str, object]) -> Outcome:
    """Write ``words`` to the registers from ``address`` on."""
    address, words = arguments.get("address"), arguments.get("words")
    if not isinstance(address, int) or not isinstance(words, Sequence):
        return Refusal.ILLEGAL_VALUE, "write_registers takes an address and words"
    answer = fleet.write(meter, address, words, fleet.now_ns)
    return answer.refusal, answer.detail


def import_configuration(fleet: Fleet, meter: int, arguments: Mapping[str, object]) -> Outcome:
    """Set setting ``registers``, raw values by name: all of them, or none."""
    registers = arguments.get("registers")
    if not isinstance(registers, Mapping):
        return Refusal.ILLEGAL_VALUE, "import_configuration takes registers, raw values by name"
    answer = fleet.import_configuration(meter, registers, fleet.now_ns)
    return answer.refusal, answer.detail


METER_COMMANDS: Final[Mapping[str, Callable[[Fleet, int, Mapping[str, object]], Outcome]]] = {
    **METER_INPUTS,
    "write_registers": write_registers,
    "import_configuration": import_configuration,
}
"""By the verb of the command; what they change can begin or end alarms and events."""
