"""The picture that pages draw, computed once per refresh from what the meters have published."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from twin.contracts import (
    AlarmLine,
    AlarmRecord,
    Diagram,
    EventRecord,
    Frame,
    MeterInfo,
    MeterLine,
    Record,
    SwitchLine,
)
from twin.simulation.engine import Engine

_MOST_ALARMS = 500
"""Alarm lines that a frame carries at most; older ones that returned are in the recording."""


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
    ) -> None:
        self.diagram = diagram
        self._title = title
        self._time_zone = time_zone
        self._meters = tuple(meters)
        self._buses = tuple(buses)
        self._endpoints: dict[str, str] = {}
        self._switch_lines = tuple(switch_lines)
        self._alarms: list[AlarmLine] = []
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
            elif isinstance(record, EventRecord):
                # A meter numbers its events from 1 without a gap.
                newest = self._newest_event.get(record.meter, 0)
                self._newest_event[record.meter] = max(newest, record.number)

    def build(self, engine: Engine, *, speed: float, paused: bool, lateness_s: float) -> Frame:
        """Return the picture of this moment."""
        self._sequence += 1
        site = engine.site
        return Frame(
            sequence=self._sequence,
            sim_ns=engine.now_ns,
            time_zone=self._time_zone,
            speed=speed,
            paused=paused,
            lateness_s=lateness_s,
            title=self._title,
            meters=tuple(self._meter_line(engine, at) for at in range(len(self._meters))),
            switches=tuple(replace(line, closed=site.switches[line.name]) for line in self._switch_lines),
            alarms=tuple(reversed(self._alarms)),
            event_count=sum(self._newest_event.values()),
            load_changes=site.load_changes,
            solves=site.solves,
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

    def _drop_oldest_returned(self) -> None:
        if len(self._alarms) > _MOST_ALARMS:
            oldest = next((at for at, line in enumerate(self._alarms) if not line.active), None)
            if oldest is not None:
                del self._alarms[oldest]

    def _meter_line(self, engine: Engine, at: int) -> MeterLine:
        info = self._meters[at]
        shown = engine.fleet.decode(at, engine.fleet.words(at))
        return MeterLine(
            name=info.name,
            profile=info.profile,
            location=info.location,
            bus=self._buses[at],
            endpoint=self._endpoints.get(info.name, ""),
            v=(shown["v1"], shown["v2"], shown["v3"]),
            i=(shown["i1"], shown["i2"], shown["i3"]),
            p=shown["p_sum"],
            q=shown["q_sum"],
            s=shown["s_sum"],
            pf=shown["pf"],
            frequency=shown["frequency"],
            thd_v=_percent(shown["thd_v1"], shown["thd_v2"], shown["thd_v3"]),
            thd_i=_percent(shown["thd_i1"], shown["thd_i2"], shown["thd_i3"]),
            v_unbalance=100 * shown["v_unbalance"],
            p_demand=shown["p_demand"],
            ep_imp=shown["ep_imp"] / 1000,
            ep_exp=shown["ep_exp"] / 1000,
            rated_voltage=info.rated_voltage,
            rated_current=info.rated_current,
            in_event=engine.fleet.in_event(at),
        )


def _percent(a: float, b: float, c: float) -> tuple[float, float, float]:
    """Return three fractions as percent; no fundamental means nothing to show."""
    first, second, third = (0.0 if math.isnan(value) else 100 * value for value in (a, b, c))
    return first, second, third
