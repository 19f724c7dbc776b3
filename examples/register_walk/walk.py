"""The walk: a meter is served, read against the truth, and written to."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from examples.register_walk.bench import METER, SCENARIO, SECONDS
from examples.register_walk.expected import Expected
from examples.register_walk.master import Master, RefusedError
from examples.register_walk.readings import expectations
from examples.register_walk.writing import ILLEGAL_ADDRESS, Tally, Writing
from twin.meters.kw320.profile import register_map
from twin.meters.register_map import RegisterMap
from twin.testing import SiteUnderTest

_PROFILE = "kw320q"


@dataclass(frozen=True, slots=True)
class Report:
    """What a walk found."""

    tallies: dict[str, Tally]
    """By region, in order of address."""
    unexpected: list[str]
    """Registers that can be read though nothing says what they should read, and the reverse."""
    problems: list[str]
    """Disagreements, one line each."""

    @property
    def total(self) -> Tally:
        """All regions together."""
        names = ("read", "written", "out_of_range", "read_only", "sealed")
        return Tally(*(sum(getattr(each, name) for each in self.tallies.values()) for name in names))

    def table(self) -> str:
        """Return the counts by region."""
        head = f"{'region':16}{'read':>8}{'written':>9}{'range 03':>10}{'r/o 02':>8}{'sealed 03':>11}"
        rows = [*self.tallies.items(), ("total", self.total)]
        return "\n".join(
            [head]
            + [
                f"{name:16}{t.read:8}{t.written:9}{t.out_of_range:10}{t.read_only:8}{t.sealed:11}"
                for name, t in rows
            ]
        )


def walk() -> Report:
    """Serve the bench and walk through its meter."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder) / "bench.yaml"
        scenario.write_text(SCENARIO, encoding="utf-8")
        with SiteUnderTest(scenario, recording=Path(folder) / "recording") as site:
            site.step(float(SECONDS))
            address = site.endpoints[METER]
            with Master(address.host, address.port, address.unit) as master:
                return _walk(master)


def _walk(master: Master) -> Report:
    registers = register_map(_PROFILE)
    expected = expectations()
    tallies = {register.region: Tally() for register in registers.registers}
    problems = _read(master, registers, expected, tallies)
    problems += _beside(master, registers)
    settled = registers.select(r for r in registers.registers if r.source != "window")
    writing = Writing(master, settled, tallies)
    writing.walk()
    known = {each.address + k for each in expected for k in range(each.words)}
    unexpected = [f"{address:04X}H" for address in sorted(known ^ set(registers.by_address))]
    return Report(tallies, unexpected, problems + writing.problems)


def _read(
    master: Master, registers: RegisterMap, expected: list[Expected], tallies: dict[str, Tally]
) -> list[str]:
    """Read all there is; one request stays in one block, and out of a window or in it."""
    word: dict[int, int] = {}
    for block in registers.blocks:
        for offset, read in enumerate(master.read(block.address, block.count)):
            word[block.address + offset] = read
    problems = []
    for each in expected:
        if each.address in word:
            problem = each.problem(word)
            problems += [problem] if problem else []
            register, _ = registers.by_address[each.address]
            tallies[register.region].read += 0 if problem else each.words
    for kind, count in (("coil", 8), ("input", 28)):
        bits = master.read_bits(kind, count)
        problems += [f"{kind}s read {bits}, expected all off"] if any(bits) else []
    return problems


def _beside(master: Master, registers: RegisterMap) -> list[str]:
    """Read and write the addresses next to every block: exception 02."""
    problems = []
    for block in registers.blocks:
        for address in (block.address - 1, block.address + block.count):
            if address in registers.by_address:
                continue
            try:
                problems.append(f"{address:04X}H reads {master.read(address, 1)}, expected exception 02")
            except RefusedError as refused:
                if refused.code != ILLEGAL_ADDRESS:
                    problems.append(f"{address:04X}H: {refused}, expected exception 02")
            if master.refusal(address, [0]) != ILLEGAL_ADDRESS:
                problems.append(f"{address:04X}H can be written, expected exception 02")
    return problems
