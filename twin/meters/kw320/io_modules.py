"""The input and output modules that can be plugged into the meter: what each one has, and where it is set.

References
----------
KW320 manual 6.3.2 (1036H), 6.3.5 (settings), 6.3.7 (counters, analogue values, SOE, states).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from twin.contracts import BEYOND_REGISTERS, Access, BitBlock
from twin.meters.register_map import Register

INPUTS: Final = 28
"""DI1..DI28."""
RELAYS: Final = 8
DIGITAL_OUTPUTS: Final = 4
ANALOGUE: Final = 4
"""AI1..AI4 and AO1..AO4."""
SOE_RECORDS: Final = 20
"""SOE records, written in a circle (6.3.7)."""
FIRST_INPUT_PARAMETER: Final = 52
"""Alarm parameter of DI1; the others follow (6.3.4)."""
_BITS: Final = BEYOND_REGISTERS + 0x100
COILS: Final = BitBlock(0, RELAYS, _BITS, "relay")
"""Relays 1..8, as functions 01 and 05 number them."""
INPUT_BITS: Final = BitBlock(0, INPUTS, _BITS + 1, "di")
"""DI1..DI28, as function 02 numbers them."""


@dataclass(frozen=True, slots=True)
class Module:
    """One module; its channels are numbered through all modules."""

    name: str
    connected_bit: int
    """Of 1036H."""
    number: int
    """In 101BH, 101CH and 4439H."""
    inputs: range
    relays: range = range(0)
    outputs: range = range(0)
    analogue_outputs: range = range(0)
    analogue_inputs: range = range(0)


MODULES: Final = {
    module.name: module
    for module in (
        Module("io11", 0, 1, range(1, 7), relays=range(1, 3)),
        Module("io21", 2, 2, range(7, 11), outputs=range(1, 3), analogue_outputs=range(1, 3)),
        Module("io31", 4, 3, range(11, 15), relays=range(3, 5), analogue_inputs=range(1, 3)),
        Module("io12", 1, 4, range(15, 21), relays=range(5, 7)),
        Module("io22", 3, 5, range(21, 25), outputs=range(3, 5), analogue_outputs=range(3, 5)),
        Module("io32", 5, 6, range(25, 29), relays=range(7, 9), analogue_inputs=range(3, 5)),
    )
}
"""By name, in the order of 101BH."""
BY_NUMBER: Final = {module.number: module for module in MODULES.values()}
"""By their number in 101BH."""


def module_of(kind: str, number: int) -> Module:
    """Return the module that a channel is on.

    Parameters
    ----------
    kind : str
        ``di``, ``relay``, ``do``, ``ai`` or ``ao``.
    number : int
        From 1, through all modules.

    Raises
    ------
    KeyError
        There is no such channel.
    """
    for module in MODULES.values():
        if number in channels_of(module)[kind]:
            return module
    raise KeyError(f"{kind}{number}")


def channels_of(module: Module) -> Mapping[str, range]:
    """Return a module's channels by kind: ``di``, ``relay``, ``do``, ``ai``, ``ao``."""
    return {
        "di": module.inputs,
        "relay": module.relays,
        "do": module.outputs,
        "ai": module.analogue_inputs,
        "ao": module.analogue_outputs,
    }


def channels(modules: Iterable[str], *kinds: str) -> list[str]:
    """Return the names of all channels of some kinds on some modules, such as ``di7``."""
    return [
        f"{kind}{number}"
        for kind in kinds
        for name in MODULES
        if name in modules
        for number in channels_of(MODULES[name])[kind]
    ]


def setting_of(register: str) -> str:
    """Return the module that a setting register belongs to; empty when to none.

    Parameters
    ----------
    register : str
        Its name, such as ``io11_di_type`` or ``ao3_in_start``.
    """
    head = register.partition("_")[0]
    if head in MODULES:
        return head
    if head[:2] == "ao" and head[2:].isdigit():
        return module_of("ao", int(head[2:])).name
    return ""


def connected_word(modules: Iterable[str]) -> int:
    """Return 1036H."""
    return sum(1 << MODULES[name].connected_bit for name in modules)


def bit_registers() -> list[Register]:
    """Return the words of the image that hold relays and inputs; no master reads them as registers."""
    return [
        Register(
            address=bits.word + word,
            words=1,
            name=f"{name}_{word}",
            dtype="word",
            code="F1",
            unit="",
            access=Access.READ,
            allowed=((0, 0xFFFF),),
            default=0,
            region="bits",
            source="input",
        )
        for name, bits in (("relay_bits", COILS), ("input_bits", INPUT_BITS))
        for word in range(-(-bits.count // 16))
    ]
