"""Waveform capture: ten cycles before and ten after a trigger, as the meter's own counts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import WaveformRecord
from twin.meters.accuracy import CHANNELS
from twin.meters.converter import COUNT_RANGE, counts
from twin.meters.front_end import FrontEnd
from twin.meters.settings import MeterSettings
from twin.signals import synthesise_cycles

SAMPLES_PER_CYCLE: Final = 64
CYCLES_BEFORE: Final = 10
CYCLES_AFTER: Final = 10
TRIGGER_INDEX: Final = SAMPLES_PER_CYCLE * CYCLES_BEFORE
SAMPLES: Final = SAMPLES_PER_CYCLE * (CYCLES_BEFORE + CYCLES_AFTER)
CAPACITY: Final = 100
"""Groups that a meter stores (KW320 manual 4.6)."""
CHANNEL_NAMES: Final = ("va", "vb", "vc", "ia", "ib", "ic")
STEP: Final = 2.0 * math.pi / SAMPLES_PER_CYCLE
"""Distance of two samples in theta [rad]."""
SPARE_NS: Final = 1000


@dataclass(frozen=True, slots=True)
class _Pending:
    """A capture whose last samples are still to come."""

    reason: str
    cause: str
    """Letters of the phases, or the input and the state that it took: ``di7 on``; empty for a manual one."""
    trigger_ns: int
    step: int
    """Number of sample ``TRIGGER_INDEX``, in 64ths of a cycle."""


class CaptureStore:
    """Waveform groups of all meters of a bank.

    Samples are locked to theta: 64 to the cycle. A trigger on a half cycle is itself a sample; a manual one
    and one of an input take effect at the next sample. While a group is written no trigger is heard; the
    manual gives no time for writing, so that it is over with the last sample. When 100 groups are stored it
    stops.
    """

    def __init__(self, settings: Sequence[MeterSettings], front_end: FrontEnd) -> None:
        self._settings = list(settings)
        self._front_end = front_end
        self._pending: dict[int, _Pending] = {}
        self._groups: list[list[WaveformRecord]] = [[] for _ in settings]
        self._causes: list[list[str]] = [[] for _ in settings]
        self._count = [0] * len(settings)
        self._finished: list[tuple[int, WaveformRecord]] = []

    @property
    def idle(self) -> bool:
        """Whether no capture waits for its last samples."""
        return not self._pending

    def configure(self, meter: int, settings: MeterSettings) -> None:
        """Take new settings."""
        self._settings[meter] = settings

    def groups(self, meter: int) -> list[WaveformRecord]:
        """Return the stored groups of a meter, oldest first."""
        return list(self._groups[meter])

    def causes(self, meter: int) -> list[str]:
        """Return what triggered each stored group: letters of phases, an input (``di7 on``), or nothing."""
        return list(self._causes[meter])

    def clear(self, meter: int) -> None:
        """Forget the stored groups of a meter, and one that is being written."""
        self._groups[meter].clear()
        self._causes[meter].clear()
        self._pending.pop(meter, None)

    def drop(self, meter: int) -> None:
        """Give up a group that is being written."""
        self._pending.pop(meter, None)

    def trigger_now(self, meter: int, reason: str, cause: str, now_ns: int) -> bool:
        """Trigger at the next sample; return whether the trigger was heard."""
        if self._front_end.empty:
            return False
        step = self._front_end.last_step(now_ns, SAMPLES_PER_CYCLE)
        at = self._front_end.step_instant(step, SAMPLES_PER_CYCLE)
        if at.ns + round(at.fraction) < now_ns:
            step += 1
        return self.trigger(meter, reason, cause, step, now_ns)

    def trigger(self, meter: int, reason: str, cause: str, step: int, trigger_ns: int) -> bool:
        """Begin a capture around a sample, counted in 64ths of a cycle; return whether it was heard."""
        self._finish([meter] if meter in self._pending else [], trigger_ns)
        settings = self._settings[meter]
        full = len(self._groups[meter]) >= CAPACITY
        if not settings.power_quality or full or meter in self._pending:
            return False
        self._pending[meter] = _Pending(reason, cause, trigger_ns, step)
        return True

    def finish(self, until_ns: int) -> list[tuple[int, WaveformRecord]]:
        """Complete the captures that are over by a time; return them with the time of their end."""
        self._finish(sorted(self._pending), until_ns)
        finished, self._finished = self._finished, []
        return finished

    def _finish(self, meters: Sequence[int], until_ns: int) -> None:
        """Write the pending captures of some meters that are over, those of the same samples at once."""
        alike: dict[int, list[int]] = {}
        for meter in meters:
            alike.setdefault(self._pending[meter].step, []).append(meter)
        written: dict[int, tuple[int, NDArray[np.float64]]] = {}
        for step, members in alike.items():
            end = self._front_end.step_instant(step + SAMPLES - TRIGGER_INDEX, SAMPLES_PER_CYCLE)
            end_ns = end.ns + round(end.fraction)
            if end_ns <= until_ns:
                samples = self._samples(step, end_ns, members)
                written |= {meter: (end_ns, part) for meter, part in zip(members, samples, strict=True)}
        for meter in sorted(written):
            end_ns, samples = written[meter]
            pending = self._pending.pop(meter)
            self._count[meter] += 1
            record = self._record(meter, pending, samples, self._count[meter])
            self._groups[meter].append(record)
            self._causes[meter].append(pending.cause)
            self._finished.append((end_ns, record))

    def _samples(self, step: int, end_ns: int, meters: Sequence[int]) -> NDArray[np.float64]:
        """Return what meters sampled around a trigger, shape (meters, channels, samples) [V or A]."""
        front_end = self._front_end
        start = front_end.step_instant(step - TRIGGER_INDEX, SAMPLES_PER_CYCLE)
        signal = front_end.signal(start, end_ns + SPARE_NS, meters=np.array(meters, np.intp))
        samples = synthesise_cycles(signal, start, samples_per_cycle=SAMPLES_PER_CYCLE, count=SAMPLES)
        return samples.reshape(len(meters), CHANNELS, SAMPLES)

    def _record(
        self, meter: int, pending: _Pending, samples: NDArray[np.float64], number: int
    ) -> WaveformRecord:
        settings = self._settings[meter]
        samples += self._noise(meter, pending.step - TRIGGER_INDEX)
        per_unit = counts(settings)
        raw = np.clip(np.rint(samples * per_unit[:, None]), *COUNT_RANGE).astype(np.int16)
        ratio = np.repeat([settings.pt_ratio, settings.ct_ratio], 3)
        scale = tuple((ratio / per_unit).tolist())
        interval = 1.0 / (SAMPLES_PER_CYCLE * self._front_end.newest.frequency)
        return WaveformRecord(
            settings.name,
            number,
            pending.reason,
            pending.trigger_ns,
            TRIGGER_INDEX,
            interval,
            CHANNEL_NAMES,
            raw,
            scale,
        )

    def _noise(self, meter: int, first: int) -> NDArray[np.float64]:
        """Return the noise of a group's samples: that of each sample's number, whatever captured it."""
        from twin.meters.noise_kernels import normals  # noqa: PLC0415

        inputs = self._front_end.inputs
        spread = inputs.white_noise[meter]  # rounding to counts adds that of the converter
        out = np.zeros((CHANNELS, SAMPLES))
        if spread.any():
            normals(inputs.sample_keys[meter], first, out)
        out *= spread[:, None]
        return out
