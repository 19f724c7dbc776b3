"""The picture that pages draw, computed once per refresh from what the meters have published."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from twin.contracts import (
    AlarmLine,
    AlarmRecord,
    Diagram,
    EventRecord,
    Frame,
    MeterInfo,
    MeterLine,
    Record,
    SoeRecord,
    SwitchLine,
    TapLine,
)
from twin.meters import Fleet
from twin.simulation.engine import Engine

Float = NDArray[np.float64]
_Three = tuple[float, float, float]

NO_SUPPLY = "no_supply"
"""What a meter is in that has no auxiliary supply; it shows nothing, and its alarms are over."""
_DARK = (0.0, 0.0, 0.0)
_MOST_ALARMS = 500
"""Alarm lines that a frame carries at most; older ones that returned are in the recording."""
_MOST_SOE = 200
"""Changes of inputs that a frame carries at most."""


class FrameBuilder:
    """Keeps what a frame needs beyond the meters' registers, and builds frames.

    Parameters
    ----------
    title, time_zone : str
        Of the scenario.
    meters : sequence of MeterInfo
        In the order of the fleet.
    buses : sequence of str
        Bus at which each meter measures voltage.
    diagram : Diagram
        The one-line diagram.
    switch_lines : sequence of SwitchLine
        What can be operated, in its initial state.
    taps : callable
        Returns the tap changers as they stand.
    """

    def __init__(
        self,
        *,
        title: str,
        time_zone: str,
        meters: Sequence[MeterInfo],
        buses: Sequence[str],
        diagram: Diagram,
        switch_lines: Sequence[SwitchLine],
        taps: Callable[[], tuple[TapLine, ...]] = tuple,
    ) -> None:
        self.diagram = diagram
        self._title = title
        self._time_zone = time_zone
        self._meters = tuple(meters)
        self._buses = tuple(buses)
        self._endpoints: dict[str, str] = {}
        self._switch_lines = tuple(switch_lines)
        self._taps = taps
        self._alarms: list[AlarmLine] = []
        self._soe: deque[SoeRecord] = deque(maxlen=_MOST_SOE)
        self._newest_event: dict[str, int] = {}
        self._sequence = 0

    def name_endpoints(self, endpoints: Mapping[str, str]) -> None:
        """Say where each meter answers, for people, by its name."""
        self._endpoints = dict(endpoints)

    def note(self, records: Sequence[Record]) -> None:
        """Take in records that change what the next frame shows."""
        for record in records:
            if isinstance(record, AlarmRecord):
                self._note_alarm(record)
            elif isinstance(record, SoeRecord):
                self._soe.appendleft(record)
            elif isinstance(record, EventRecord):
                # A meter numbers its events from 1 without a gap.
                newest = self._newest_event.get(record.meter, 0)
                self._newest_event[record.meter] = max(newest, record.number)

    def build(
        self, engine: Engine, *, speed: float, paused: bool, lateness_s: float, notice: str = ""
    ) -> Frame:
        """Return the picture of what the meters have published last."""
        self._sequence += 1
        site = engine.site
        self._end_alarms(engine)
        return Frame(
            sequence=self._sequence,
            sim_ns=engine.now_ns,
            time_zone=self._time_zone,
            speed=speed,
            paused=paused,
            lateness_s=lateness_s,
            title=self._title,
            meters=self._meter_lines(engine.fleet),
            switches=tuple(replace(line, closed=site.switches[line.name]) for line in self._switch_lines),
            alarms=tuple(reversed(self._alarms)),
            event_count=sum(self._newest_event.values()),
            load_changes=site.load_changes,
            solves=site.solves,
            notice=notice,
            taps=self._taps(),
            soe=tuple(self._soe),
        )

    def _note_alarm(self, record: AlarmRecord) -> None:
        if record.transition == "active":
            self._alarms.append(
                AlarmLine(
                    record.meter,
                    record.channel,
                    record.parameter,
                    record.comparison,
                    record.setpoint,
                    record.value,
                    active=True,
                    since_ns=record.time_ns,
                    returned_ns=None,
                )
            )
            self._drop_oldest_returned()
            return
        for at in range(len(self._alarms) - 1, -1, -1):
            line = self._alarms[at]
            if line.active and (line.meter, line.channel) == (record.meter, record.channel):
                self._alarms[at] = replace(line, active=False, returned_ns=record.time_ns)
                return

    def _end_alarms(self, engine: Engine) -> None:
        """Let the alarms of meters without supply be over: nobody will say that they are."""
        off = {info.name for at, info in enumerate(self._meters) if not engine.fleet.powered(at)}
        for at, line in enumerate(self._alarms if off else ()):
            if line.active and line.meter in off:
                self._alarms[at] = replace(line, active=False, returned_ns=engine.now_ns)

    def _drop_oldest_returned(self) -> None:
        if len(self._alarms) > _MOST_ALARMS:
            oldest = next((at for at, line in enumerate(self._alarms) if not line.active), None)
            if oldest is not None:
                del self._alarms[oldest]

    def _meter_lines(self, fleet: Fleet) -> tuple[MeterLine, ...]:
        lines: dict[int, MeterLine] = {}
        for group, members in enumerate(fleet.groups):
            shown = fleet.group_values(group)
            phases = zip(*(_phases(shown, names, scale) for names, scale in _PHASES), strict=True)
            totals = zip(*((shown[name] * scale).tolist() for name, scale in _TOTALS.items()), strict=True)
            for at, three, one in zip(members, phases, totals, strict=True):
                if fleet.powered(at):
                    lines[at] = self._meter_line(at, three, one, fleet.in_event(at))
                else:
                    counted = (0.0,) * (len(one) - 2) + one[-2:]
                    lines[at] = self._meter_line(at, (_DARK,) * len(three), counted, NO_SUPPLY)
        return tuple(lines[at] for at in range(len(self._meters)))

    def _meter_line(
        self, at: int, phases: tuple[_Three, ...], totals: tuple[float, ...], in_event: str
    ) -> MeterLine:
        info = self._meters[at]
        v, i, thd_v, thd_i = phases
        p, q, s, pf, frequency, v_unbalance, p_demand, ep_imp, ep_exp = totals
        return MeterLine(
            name=info.name,
            profile=info.profile,
            location=info.location,
            bus=self._buses[at],
            endpoint=self._endpoints.get(info.name, ""),
            v=v,
            i=i,
            p=p,
            q=q,
            s=s,
            pf=pf,
            frequency=frequency,
            thd_v=thd_v,
            thd_i=thd_i,
            v_unbalance=v_unbalance,
            p_demand=p_demand,
            ep_imp=ep_imp,
            ep_exp=ep_exp,
            rated_voltage=info.rated_voltage,
            rated_current=info.rated_current,
            in_event=in_event,
        )


_PHASES = (
    (("v1", "v2", "v3"), 1.0),
    (("i1", "i2", "i3"), 1.0),
    (("thd_v1", "thd_v2", "thd_v3"), 100.0),
    (("thd_i1", "thd_i2", "thd_i3"), 100.0),
)
"""What a line shows of each phase, by register, and its factor: percent of fractions."""
_TOTALS = dict.fromkeys(("p_sum", "q_sum", "s_sum", "pf", "frequency"), 1.0) | {
    "v_unbalance": 100.0,
    "p_demand": 1.0,
    "ep_imp": 1e-3,
    "ep_exp": 1e-3,
}
"""What it shows of all phases together: percent of fractions, kWh of Wh."""


def _phases(shown: Mapping[str, Float], names: tuple[str, ...], scale: float) -> Iterator[_Three]:
    """Yield three values of each meter, 0 where there is none: no fundamental means no distortion to show."""
    columns = (np.where(np.isnan(shown[name]), 0.0, shown[name] * scale).tolist() for name in names)
    yield from zip(*columns, strict=True)
