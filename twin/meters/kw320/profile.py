"""The two models of the family and their register maps."""

from functools import cache
from pathlib import Path
from typing import Literal

from twin.contracts import POWER_WORD, Access
from twin.meters.kw320.io_modules import bit_registers
from twin.meters.register_map import Register, RegisterMap

Profile = Literal["kw320", "kw320q"]

PROFILES: tuple[Profile, ...] = ("kw320", "kw320q")
"""``kw320q`` adds power-quality events and waveform capture."""
FUNCTION_CODES = frozenset({1, 2, 3, 5, 16})
"""Modbus functions of the family (KW320 manual 6.2); any other answers exception 01."""
POWERED = "powered"
"""Name of the word of an image that is 0 while the meter has no supply."""
_POWERED = Register(
    address=POWER_WORD,
    words=1,
    name=POWERED,
    dtype="word",
    code="F1",
    unit="",
    access=Access.READ,
    allowed=((0, 1),),
    default=1,
    region="power",
    source="state",
)
POWER_QUALITY_REGIONS = ("pq_settings", "pq_events", "waveform")


@cache
def register_map(profile: str) -> RegisterMap:
    """Return the register map of a model, read once."""
    whole = RegisterMap.read(Path(__file__).with_name("registers.csv"))
    return whole if profile == "kw320q" else whole.without_regions(*POWER_QUALITY_REGIONS)


@cache
def image_map(profile: str) -> RegisterMap:
    """Return what is published as an image: registers but those of retrieval windows, relays and inputs."""
    whole = register_map(profile)
    registers = [register for register in whole.registers if register.source != "window"]
    return whole.select([*registers, *bit_registers(), _POWERED])
