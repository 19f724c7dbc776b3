"""What adds up over time in the meters of a bank: energies, demands, load profile."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND, Instant, IntervalBlock
from twin.meters.demand import NS_PER_MINUTE, SOURCES, Demand
from twin.meters.energies import EnergyRegisters
from twin.meters.energy_pulses import EnergyPulseOutputs, PulseOutput
from twin.meters.interval_log import ClosedIntervals, IntervalLog
from twin.meters.load_profile import LoadProfile
from twin.meters.powered import Powered
from twin.meters.pulses import NEVER, PulseTrain
from twin.meters.quantities import DEMAND_COLUMNS, NAMES
from twin.meters.settings import MeterSettings
from twin.meters.window import MeasuringWindow, WindowView

Float = NDArray[np.float64]
Int = NDArray[np.int64]

_LOOK_NS: Final = 10_000_000
_FAR_NS: Final = 86_400 * NS_PER_SECOND


class Counting:
    """Counts stretches of constant values, minute by minute.

    Parameters
    ----------
    settings : sequence of MeterSettings
    window : MeasuringWindow
        Of the same meters.
    start_ns : int
        When counting begins, UTC [ns].
    logged : sequence of int
        Which meter each logger is of.

    Attributes
    ----------
    energies : EnergyRegisters
    demand : Demand
    profile : LoadProfile
    pulses : EnergyPulseOutputs
    log : IntervalLog
        Of loggers.
    powered : Powered
        Which meters count.
    next_minute : int
        End of the minute that runs, UTC [ns].
    """

    def __init__(
        self,
        settings: Sequence[MeterSettings],
        window: MeasuringWindow,
        *,
        start_ns: int,
        logged: Sequence[int] = (),
    ) -> None:
        meters = len(settings)
        self.energies = EnergyRegisters(meters)
        self.demand = Demand(settings)
        self.profile = LoadProfile(settings, start_ns)
        self.pulses = EnergyPulseOutputs()
        self.log = IntervalLog(logged, start_ns)
        self.next_minute = (start_ns // NS_PER_MINUTE + 1) * NS_PER_MINUTE
        self._window = window
        self.powered = Powered(meters)
        self._ratio = np.ones((meters, 1))
        for meter, setting in enumerate(settings):
            self.adopt(meter, setting)
        self._minute_sum = np.zeros((meters, len(NAMES)))  # value x time of all displayed quantities
        self._counted_ns = start_ns  # up to when energies, means and lags have counted
        self._ahead: tuple[int, int, EnergyRegisters] | None = None  # counted, asked for, as they stand then

    def adopt(self, meter: int, settings: MeterSettings) -> None:
        """Take a meter's ratio of primary to secondary power."""
        self._ratio[meter] = settings.pt_ratio * settings.ct_ratio

    def count_to(self, ns: int) -> None:
        """Let energies, means and lags count up to a time in the current stretch."""
        duration = ns - self._counted_ns
        if duration <= 0:
            return
        view = self._current(ns)
        self.energies.add(self._registered(view), duration)
        self.pulses.add(self.energies, self._counted_ns, ns)
        values = self.powered.counted(view.values)
        self.demand.add(values, duration)
        weighted = values * (duration / NS_PER_SECOND)
        self.profile.add(weighted)
        self.log.add(weighted)
        self._minute_sum += weighted
        self._counted_ns = ns

    def update(self, values: Float) -> None:
        """Let the displayed values of a tick count towards the extremes of open intervals."""
        self.profile.update(values)
        self.log.update(values)

    def close_log(self, loggers: Sequence[int], values: Float, ns: int) -> ClosedIntervals:
        """End the intervals of some loggers, which show these values at their end."""
        self.count_to(ns)
        return self.log.close(loggers, values, ns)

    def energies_at(self, ns: int) -> EnergyRegisters:
        """Return the energies as they stand at a time in the current stretch; nothing changes."""
        pending = ns - self._counted_ns
        if pending == 0:
            return self.energies
        return self.energies.ahead(self._registered(self._current(ns)), pending)

    def set_pulse_output(self, meter: int, output: int, setting: PulseOutput | None, now_ns: int) -> None:
        """Let a digital output give a pulse for each so much energy from now on; None stops it."""
        self.count_to(now_ns)
        self.pulses.set(meter, output, setting, self.energies)

    def pulse_train(self, meter: int, output: int, ns: int) -> PulseTrain | None:
        """Return the pulses of an output up to a time in the current stretch; nothing changes."""
        if not self.pulses.runs(meter, output) or ns == self._counted_ns:
            return self.pulses.train(meter, output)
        if self._ahead is None or self._ahead[:2] != (self._counted_ns, ns):
            self._ahead = (self._counted_ns, ns, self.energies_at(ns))
        return self.pulses.ahead(meter, output, self._ahead[2], self._counted_ns, ns)

    def next_pulse_look_ns(self, meter: int, output: int, now_ns: int) -> int:
        """Return an instant after now before which the level of an output's pulses does not change.

        It holds for the current stretch; within one whose power is not steady it is the next hundredth of a
        second, and pulses begin at the one after their own beginning.
        """
        train = self.pulse_train(meter, output, now_ns)
        if train is None:
            return NEVER
        if train.busy_until > now_ns:
            return math.ceil(train.busy_until)
        if not self.pulses.runs(meter, output):
            return NEVER
        if self._window.steady is None:
            return (now_ns // _LOOK_NS + 1) * _LOOK_NS
        count, rest, units = train.count, train.rest, train.units
        second = self.pulse_train(meter, output, now_ns + NS_PER_SECOND)
        if second is None or second.units <= units:
            return NEVER
        wait_ns = math.ceil(rest / (second.units - units) * NS_PER_SECOND)
        if wait_ns > _FAR_NS:
            return now_ns + _FAR_NS
        at = now_ns + wait_ns
        # The estimate is good to the rounding of the energies: find the very nanosecond.
        while at - 1 > now_ns and self._pulses_at(meter, output, at - 1) > count:
            at -= 1
        while self._pulses_at(meter, output, at) == count:
            at += 1
        return at

    def _pulses_at(self, meter: int, output: int, ns: int) -> int:
        train = self.pulse_train(meter, output, ns)
        return 0 if train is None else train.count

    def end_minute(self) -> None:
        """End the minute that runs."""
        ns = self.next_minute
        self.count_to(ns)
        self.demand.end_minute(self._minute_sum[:, SOURCES] / 60.0, ns // NS_PER_MINUTE)
        self._minute_sum = np.zeros_like(self._minute_sum)
        self.next_minute = ns + NS_PER_MINUTE

    def quiet_minutes(self, until_ns: int) -> int:
        """Return how many whole minutes of the same values end by a time.

        An interval of the load profile ends with the last of them or later.
        """
        first = self.next_minute
        settled = self._window.steady is not None and self._window.settled_ns <= first
        if not settled or self._counted_ns != first - NS_PER_MINUTE or self.demand.lags:
            return 0
        minutes = (until_ns - first) // NS_PER_MINUTE + 1
        return max(min(minutes, self.profile.minutes_to_due(first // NS_PER_MINUTE - 1)), 0)

    def end_quiet_minutes(self, count: int) -> tuple[Int, Float]:
        """Live through such minutes.

        Returns
        -------
        times : ndarray of int64, shape (count,)
            Their ends, UTC [ns].
        demands : ndarray, shape (count, meters, 6)
            What is shown after each; NaN without supply.
        """
        first = self.next_minute
        view = self._current(first)
        self.energies.add(self._registered(view), count * NS_PER_MINUTE)
        self.pulses.add(self.energies, self._counted_ns, self._counted_ns + count * NS_PER_MINUTE)
        weighted = self.powered.counted(view.values) * 60.0
        self.profile.add_repeatedly(weighted, count)
        for _ in range(count):  # floats round by the order in which they are added
            self.log.add(weighted)
        demands = self.demand.end_minutes(weighted[:, SOURCES] / 60.0, first // NS_PER_MINUTE, count)
        self.powered.blank(demands)
        self.profile.update_columns(DEMAND_COLUMNS, demands)
        self.log.update_columns(DEMAND_COLUMNS, demands)
        times = first + NS_PER_MINUTE * np.arange(count, dtype=np.int64)
        self._counted_ns = int(times[-1])
        self.next_minute = self._counted_ns + NS_PER_MINUTE
        return times, demands

    def close_intervals(self, ns: int) -> IntervalBlock | None:
        """End the intervals of the load profile that are due at a whole minute."""
        due = self.profile.due(ns)
        return self.profile.close(due, self.energies.counts(), ns) if due.size else None

    def set_power(self, meter: int, *, on: bool, ns: int) -> list[IntervalBlock]:
        """Give a meter its supply, or take it away; return the interval that ends by it.

        Demands begin anew. The open interval of the load profile ends with the supply, and the next begins
        with it.
        """
        self.count_to(ns)
        one = np.array([meter], np.intp)
        block = None if on else self.profile.close(one, self.energies.counts(), ns)
        self.powered.set(meter, on=on)
        self.demand.clear(meter)
        self._minute_sum[meter] = 0.0
        self.profile.set_power(meter, self.energies.counts(), on=on, ns=ns)
        self.log.set_power(meter, on=on, ns=ns)
        return [] if block is None else [block]

    def _registered(self, view: WindowView) -> Float:
        """Return what energies count, primary."""
        return self.powered.counted(view.registered * self._ratio)

    def _current(self, ns: int) -> WindowView:
        """Return what holds since the last count: the steady view, or a window of just that time."""
        return self._window.steady or self._window.between(Instant(self._counted_ns), ns)
