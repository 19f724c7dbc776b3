"""The two models of the family and their register maps."""

from functools import cache
from pathlib import Path
from typing import Literal

from twin.contracts import SerialPort
from twin.meters.register_map import RegisterMap

Profile = Literal["kw320", "kw320q"]

PROFILES: tuple[Profile, ...] = ("kw320", "kw320q")
"""``kw320q`` adds power-quality events and waveform capture."""
FORMATS = ("8E1", "8O1", "8N2", "8N1")
"""Character formats by value of a parity setting: EVEN, ODD, NON2, NON1 (KW320 manual 6.3.1)."""
FUNCTION_CODES = frozenset({1, 2, 3, 5, 16})
"""Modbus functions of the family (KW320 manual 6.2); any other answers exception 01."""
SERIAL_PORTS = (
    SerialPort(address=0x1001, baud_rate=0x1002, parity=0x0FFF, formats=FORMATS, protocol=0x0FFE),
    SerialPort(address=0x1031, baud_rate=0x102F, parity=0x1030, formats=FORMATS),
)
"""Registers of the two RS-485 ports (KW320 manual 6.3.1, 6.3.2)."""
POWER_QUALITY_REGIONS = ("pq_settings", "pq_events", "waveform")


@cache
def register_map(profile: str) -> RegisterMap:
    """Return the register map of a model, read once."""
    whole = RegisterMap.read(Path(__file__).with_name("registers.csv"))
    return whole if profile == "kw320q" else whole.without_regions(*POWER_QUALITY_REGIONS)


@cache
def image_map(profile: str) -> RegisterMap:
    """Return the registers that are published as an image: all but those of retrieval windows."""
    whole = register_map(profile)
    return whole.select(register for register in whole.registers if register.source != "window")
