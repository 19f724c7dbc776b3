"""Commands to the I/O modules of a meter: a master's order to a relay, an instructor's hand on an input."""

from collections.abc import Callable, Mapping
from typing import Final

from twin.contracts import Refusal
from twin.meters import Fleet

Outcome = tuple[Refusal | None, str]

_STATES: Final = {"on": True, "off": False}


def write_coil(fleet: Fleet, meter: int, arguments: Mapping[str, object]) -> Outcome:
    """Switch a relay: ``address`` from 0, ``on``."""
    address, on = arguments.get("address"), arguments.get("on")
    if not isinstance(address, int) or not isinstance(on, bool):
        return Refusal.ILLEGAL_VALUE, "write_coil takes an address and on"
    with fleet.undone_on_failure(meter, f"an order to relay {address + 1}"):
        answer = fleet.io.write_coil(meter, address, on=on)
    return answer.refusal, answer.detail


def set_input(fleet: Fleet, meter: int, arguments: Mapping[str, object]) -> Outcome:
    """Let a digital input go on or off: ``input`` such as ``di3``, ``to`` on or off."""
    number, problem = _channel(fleet, meter, arguments, "di")
    if problem is not None:
        return problem
    on = _STATES.get(str(arguments.get("to")))
    if on is None:
        return Refusal.ILLEGAL_VALUE, "a digital input goes 'on' or 'off'"
    if fleet.io.fed(meter, number):
        return Refusal.ILLEGAL_VALUE, f"di{number} is wired to pulses; nobody else can drive it"
    fleet.io.set_input(meter, number, on=on)
    return None, ""


def set_analogue(fleet: Fleet, meter: int, arguments: Mapping[str, object]) -> Outcome:
    """Give an analogue input a signal: ``input`` such as ``ai1``, ``value`` in mA; 5 V are 20 mA."""
    number, problem = _channel(fleet, meter, arguments, "ai")
    if problem is not None:
        return problem
    value = arguments.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 24:
        return Refusal.ILLEGAL_VALUE, "a signal has 0 to 24 mA; one of 5 V counts 4 mA per volt"
    fleet.io.set_analogue(meter, number, float(value))
    return None, ""


def _channel(
    fleet: Fleet, meter: int, arguments: Mapping[str, object], kind: str
) -> tuple[int, Outcome | None]:
    name = str(arguments.get("input"))
    number = int(name[2:]) if name[:2] == kind and name[2:].isdecimal() else 0
    if not fleet.io.has(meter, kind, number):
        what = f"no module that is connected to '{fleet.names[meter]}' has an input '{name}'"
        return 0, (Refusal.ILLEGAL_ADDRESS, what)
    return number, None


METER_INPUTS: Final[Mapping[str, Callable[[Fleet, int, Mapping[str, object]], Outcome]]] = {
    "write_coil": write_coil,
    "set_input": set_input,
    "set_analogue": set_analogue,
}
"""By the verb of the command."""
