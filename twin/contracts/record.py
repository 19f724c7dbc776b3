"""What the historian keeps, and the ledger of what physically happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MeterInfo:
    """A meter as a recording describes it once."""

    name: str
    profile: str
    """Device family, for example ``kw320q``."""
    location: str
    """What it is connected to, in words of the network, for example ``line LINE1 at 1``."""
    rated_voltage: float
    """Line to neutral, primary, RMS [V]."""
    rated_current: float
    """Primary, RMS [A]."""


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """One load-profile interval of one meter, stamped at its end."""

    meter: str
    end_ns: int
    """End of the interval, UTC [ns]."""
    duration_s: float
    """Length [s]; shorter than nominal at the start of a recording."""
    values: Mapping[str, float]
    """Channel name to value: ``p_imp_wh``, ``q_imp_varh``, ``v1_avg``, ``p_max``, ..; primary, SI."""


@dataclass(frozen=True, slots=True, eq=False)
class IntervalBlock:
    """Load-profile intervals of several meters that have the same channels and end together."""

    meters: tuple[str, ...]
    end_ns: int
    """End of the intervals, UTC [ns]."""
    duration_s: NDArray[np.float64]
    """Shape (meters,): length of each [s]."""
    channels: tuple[str, ...]
    """As the keys of `IntervalRecord.values`."""
    values: NDArray[np.float64]
    """Shape (meters, channels): primary, SI; NaN where a quantity does not exist."""


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One power-quality event as a meter recorded it."""

    meter: str
    number: int
    """The meter's own event number, from 1."""
    type: str
    """``sag``, ``swell``, ``over_current``."""
    phases: str
    """Letters of the phases that were in the event, for example ``ab``."""
    start_ns: int
    """First half cycle outside the threshold, UTC [ns]."""
    trigger_ns: int
    """When the meter's half-cycle count was reached and the event was recorded, UTC [ns]."""
    end_ns: int | None
    """All phases recovered, UTC [ns]; None while it lasts."""
    extreme: float
    """Lowest (sag) or highest (swell, over-current) RMS so far, primary [V or A]."""
    threshold: float
    """Primary [V or A]."""
    rated: float
    """Primary [V or A]."""


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """One transition of one alarm channel of a meter."""

    meter: str
    channel: int
    """1-based."""
    parameter: str
    """Monitored quantity, for example ``i1``."""
    transition: str
    """``active`` or ``return``."""
    time_ns: int
    """UTC [ns]."""
    value: float
    """Value at the transition, primary, SI."""
    setpoint: float
    """Primary, SI."""
    comparison: str
    """``>``, ``=`` or ``<``."""


@dataclass(frozen=True, slots=True)
class SoeRecord:
    """One change of a digital input in a meter's sequence of events."""

    meter: str
    module: str
    """I/O module whose inputs the meter records, for example ``io11``."""
    time_ns: int
    """UTC [ns]."""
    input: str
    """What has changed, for example ``di3``."""
    on: bool
    """Its new state."""
    status: int
    """All inputs of the module after the change, the first in bit 0."""


@dataclass(frozen=True, slots=True, eq=False)
class WaveformRecord:
    """One waveform capture."""

    meter: str
    number: int
    """The meter's own group number, from 1."""
    reason: str
    """``manual``, ``di``, ``sag``, ``swell`` or ``over_current``."""
    trigger_ns: int
    """UTC [ns]."""
    trigger_index: int
    """Sample at which the trigger fell."""
    sample_interval_s: float
    """[s]."""
    channels: tuple[str, ...]
    """``va, vb, vc, ia, ib, ic``."""
    raw: NDArray[np.int16]
    """Shape (channels, samples): the meter's own counts."""
    scale: tuple[float, ...]
    """Primary value per count, by channel [V or A]."""


@dataclass(frozen=True, slots=True)
class RegisterRecord:
    """What a register came to hold; it held it until its next record."""

    meter: str
    address: int
    """First word, 0-based."""
    time_ns: int
    """When it was first seen to differ, UTC [ns]."""
    words: tuple[int, ...]
    """0..65535 each, in the order of their addresses."""


@dataclass(frozen=True, slots=True)
class TerminalRecord:
    """What was physically at the place of a meter from an instant on, whatever the meter makes of it."""

    meter: str
    time_ns: int
    """When the steady state began, UTC [ns]."""
    v: tuple[float, float, float]
    """RMS of phases a, b, c to earth, all orders [V]."""
    i: tuple[float, float, float]
    """RMS of the phase currents, all orders [A]."""


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """A command as it was applied, for the command log."""

    sequence: int
    """Position in the one ordered queue, from 1."""
    applied_ns: int
    source: str
    target: str
    verb: str
    arguments: Mapping[str, object]
    refusal: str | None
    """None when done."""


MEASUREMENT_FAULT_BEGAN: Final = "measurement_fault_began"
MEASUREMENT_FAULT_ENDED: Final = "measurement_fault_ended"
COMMUNICATION_FAULT_BEGAN: Final = "communication_fault"
COMMUNICATION_FAULT_ENDED: Final = "communication_fault_cleared"
"""Kinds of truth entries of what is wrong with a meter's measuring, by its element; ``name`` and ``what``."""
ORDINARY = frozenset({"load_switched", "protection_pickup", "protection_dropout"})
"""Kinds of truth entries that do not disturb a network: its everyday life, and what devices only notice."""


@dataclass(frozen=True, slots=True)
class TruthEntry:
    """Something that physically happened, whoever noticed it."""

    time_ns: int
    """UTC [ns]."""
    kind: str
    """``load_switched``, ``fault_applied``, ``fault_cleared``, ``switch_operated``, .."""
    element: str
    """Name in the network or the scenario."""
    cause: str
    """Name of the process or event that did it."""
    detail: Mapping[str, object] = field(default_factory=dict)
    """Plain data: bus, phases, resistance_ohm, .."""


Record = (
    IntervalRecord
    | IntervalBlock
    | EventRecord
    | AlarmRecord
    | SoeRecord
    | TerminalRecord
    | WaveformRecord
    | RegisterRecord
    | CommandRecord
    | TruthEntry
)
"""Anything that the historian appends."""
