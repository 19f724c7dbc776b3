"""A meter with I/O modules on a steady signal, read by register address."""

from tests.meters.kw320_registers import Registers
from tests.meters.kw320_site import AMPERES, START, VOLTS, segment
from twin.meters import MeterConfig, build_fleet
from twin.meters.kw320.io_modules import MODULES

MS = 1_000_000
COILS, INPUTS = 0x10100, 0x10101
"""Where the image keeps relays and inputs."""


class Bench:
    """One meter with modules on a steady signal."""

    def __init__(self, *modules, volts=VOLTS, amperes=AMPERES, **config):
        settings = {"pt1": 20_000, "pt2": 100, "ct1": 200, "ct2": 5, "rated_voltage": 58, "accuracy": "ideal"}
        settings |= config
        self.fleet = build_fleet(
            [MeterConfig(name="head", modules=modules or tuple(MODULES), **settings)], start_ns=START
        )
        self.feed = segment(volts, amperes, start_ns=START)
        self.records = []
        self.run(0)

    @property
    def io(self):
        return self.fleet.io

    @property
    def now(self):
        return self.fleet.now_ns

    def run(self, ns):
        self.records += self.fleet.advance(self.feed, self.now + ns)
        return self

    def write(self, address, *words):
        answer = self.fleet.write(0, address, words, self.now)
        self.run(0)
        return answer.refusal

    def input(self, number, *, on=True):
        self.io.set_input(0, number, on=on)
        self.run(0)

    @property
    def registers(self):
        return Registers(self.fleet)

    def count(self, number):
        return self.registers.dword(0x4349 + 2 * (number - 1))

    def inputs(self):
        low, high = self.registers.row(INPUTS, 2)
        bits = low | high << 16
        return [number for number in range(1, 29) if bits >> number - 1 & 1]

    def relays(self):
        return [number for number in range(1, 9) if self.registers.unsigned(COILS) >> number - 1 & 1]
