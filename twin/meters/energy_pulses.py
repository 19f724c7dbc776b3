"""Digital outputs that give a pulse for each so much energy, counted in closed form.

References
----------
KW320 manual 6.3.1: the period of the pulses is 3,600,000 / (U I n constant) s with the secondary voltage and
current, so that the constant counts pulses per kWh (kvarh) of the secondary; 6.3.5: quantity and pulse width.
"""

from dataclasses import dataclass
from fractions import Fraction

from twin.meters.energies import FEMTOJOULES, EnergyRegisters
from twin.meters.pulses import PulseTrain

_FEMTOJOULES_PER_KWH = 1000 * FEMTOJOULES


@dataclass(frozen=True, slots=True)
class PulseOutput:
    """What a digital output counts."""

    register: str
    """Energy register that it follows, such as ``ep_imp``."""
    constant: int
    """Pulses per kWh or kvarh of the secondary."""
    ratio: Fraction
    """Primary energy per secondary energy: PT1/PT2 x CT1/CT2."""
    width_ns: int
    """How long a pulse lasts [ns]."""

    @property
    def pulses_per_femtojoule(self) -> Fraction:
        """Pulses per fJ of the primary."""
        return self.constant / (_FEMTOJOULES_PER_KWH * self.ratio)


@dataclass(slots=True)
class _Running:
    setting: PulseOutput
    train: PulseTrain
    base: int
    """Energy that the register had counted when the setting came [fJ]."""
    units: Fraction
    """Pulses, with the part of one, that had passed then."""

    def run(self, counted: int, begin_ns: int, end_ns: int, train: PulseTrain) -> PulseTrain:
        passed = (counted - self.base) * self.setting.pulses_per_femtojoule
        train.run(begin_ns, end_ns, self.units + passed)
        return train


class EnergyPulseOutputs:
    """All pulse outputs of the meters of a bank. Times and energies come from whoever counts."""

    def __init__(self) -> None:
        self._running: dict[tuple[int, int], _Running] = {}
        self._trains: dict[tuple[int, int], PulseTrain] = {}  # of those that were stopped too

    def set(self, meter: int, output: int, setting: PulseOutput | None, energies: EnergyRegisters) -> None:
        """Let an output count from now on; a part of a pulse is kept, None stops it.

        Parameters
        ----------
        meter, output : int
        setting : PulseOutput or None
        energies : EnergyRegisters
            Counted up to now.
        """
        self._running.pop((meter, output), None)
        if setting is None:
            return
        train = self._trains.setdefault((meter, output), PulseTrain(setting.width_ns))
        train.width_ns = setting.width_ns
        counted = energies.counted(meter)[setting.register]
        self._running[meter, output] = _Running(setting, train, counted, train.units)

    def add(self, energies: EnergyRegisters, begin_ns: int, end_ns: int) -> None:
        """Take in an interval of constant power that the energies have just counted."""
        for (meter, _), running in self._running.items():
            counted = energies.counted(meter)[running.setting.register]
            running.run(counted, begin_ns, end_ns, running.train)

    def runs(self, meter: int, output: int) -> bool:
        """Return whether an output counts now."""
        return (meter, output) in self._running

    def train(self, meter: int, output: int) -> PulseTrain | None:
        """Return an output's train as it was last taken in; None where there never was one."""
        return self._trains.get((meter, output))

    def ahead(
        self, meter: int, output: int, energies: EnergyRegisters, begin_ns: int, end_ns: int
    ) -> PulseTrain:
        """Return the train of an output that counts, at the end of an interval that is not taken in."""
        running = self._running[meter, output]
        counted = energies.counted(meter)[running.setting.register]
        return running.run(counted, begin_ns, end_ns, running.train.copy())
