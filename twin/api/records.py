"""What is in the recording: power-quality events, alarms, commands, waveform captures."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from twin.api.models import (
    ActiveAlarm,
    AlarmTransition,
    Capture,
    CaptureEntry,
    CommandEntry,
    PowerQualityEvent,
)
from twin.api.problems import answers
from twin.api.site import ControlledSite
from twin.api.times import Instant, parse_utc
from twin.contracts import WaveformRecord
from twin.recording import Recording, WaveformSummary, export_waveform_csv
from twin.recording.export import utc_text

Meter = Annotated[str | None, Query(description="only this meter's")]
After = Annotated[Instant | None, Query(description="only what is new since")]
Limit = Annotated[int, Query(ge=1, le=10000, description="only the newest so many")]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


def routes(site: ControlledSite) -> APIRouter:
    """Return the operations."""
    router = APIRouter(tags=["records"])

    def recording(meter: str | None) -> Recording:
        if meter is not None:
            site.meter(meter)
        return site.recorded()

    @router.get("/events", responses=answers(404, 503))
    def list_events(meter: Meter = None, after: After = None, limit: Limit = 100) -> list[PowerQualityEvent]:
        """Return power-quality events as meters recorded them, in order of their start.

        Records are here about a second after they came about.
        """
        found = recording(meter).events(meter=meter, after_ns=_ns(after), limit=limit)
        return [
            PowerQualityEvent(
                meter=event.meter,
                number=event.number,
                type=event.type,
                phases=event.phases,
                start_utc=utc_text(event.start_ns),
                trigger_utc=utc_text(event.trigger_ns),
                end_utc=None if event.end_ns is None else utc_text(event.end_ns),
                extreme=event.extreme,
                threshold=event.threshold,
                rated=event.rated,
            )
            for event in found
        ]

    @router.get("/alarms", responses=answers(404, 503))
    def list_alarms(meter: Meter = None, after: After = None, limit: Limit = 100) -> list[AlarmTransition]:
        """Return transitions of alarm channels in order of time."""
        found = recording(meter).alarms(meter=meter, after_ns=_ns(after), limit=limit)
        return [
            AlarmTransition(
                meter=alarm.meter,
                channel=alarm.channel,
                parameter=alarm.parameter,
                transition=alarm.transition,
                utc=utc_text(alarm.time_ns),
                value=alarm.value,
                setpoint=alarm.setpoint,
                comparison=alarm.comparison,
            )
            for alarm in found
        ]

    @router.get("/alarms/present", responses=answers(503))
    def list_present_alarms() -> list[ActiveAlarm]:
        """Return alarms that are active, and those that returned lately; newest first."""
        return [
            ActiveAlarm(
                meter=line.meter,
                channel=line.channel,
                parameter=line.parameter,
                comparison=line.comparison,
                setpoint=line.setpoint,
                value=line.value,
                active=line.active,
                since_utc=utc_text(line.since_ns),
                returned_utc=None if line.returned_ns is None else utc_text(line.returned_ns),
            )
            for line in site.frame().alarms
        ]

    @router.get("/commands", responses=answers(503))
    def list_commands(after: After = None, limit: Limit = 100) -> list[CommandEntry]:
        """Return the command log in the order in which commands were applied: by whom, with what success."""
        return [
            CommandEntry(
                sequence=entry.sequence,
                applied_utc=utc_text(entry.applied_ns),
                source=entry.source,
                target=entry.target,
                verb=entry.verb,
                arguments=dict(entry.arguments),
                refusal=entry.refusal,
            )
            for entry in recording(None).commands(after_ns=_ns(after), limit=limit)
        ]

    @router.get("/captures", responses=answers(404, 503))
    def list_captures(meter: Meter = None, after: After = None, limit: Limit = 100) -> list[CaptureEntry]:
        """Return waveform captures without samples, in order of their trigger."""
        found = recording(meter).waveforms(meter=meter, after_ns=_ns(after), limit=limit)
        return [_entry(summary) for summary in found]

    @router.get("/captures/{meter}/{number}", responses=answers(404, 503))
    def read_capture(meter: str, number: Number) -> Capture:
        """Return a waveform capture with its samples."""
        return _capture(recording(meter).waveform(meter, number))

    @router.get(
        "/captures/{meter}/{number}/csv",
        responses={
            **answers(404, 503),
            200: {
                "content": {"text/csv": {"schema": {"type": "string"}}},
                "description": "header and samples",
            },
        },
        response_class=Response,
    )
    def read_capture_csv(meter: str, number: Number) -> Response:
        """Return a waveform capture as CSV with primary values."""
        text = export_waveform_csv(recording(meter).waveform(meter, number))
        return Response(text, media_type="text/csv; charset=utf-8")

    return router


def _ns(text: str | None) -> int | None:
    return None if text is None else parse_utc(text)


def _entry(summary: WaveformSummary) -> CaptureEntry:
    return CaptureEntry(
        meter=summary.meter,
        number=summary.number,
        reason=summary.reason,
        trigger_utc=utc_text(summary.trigger_ns),
        trigger_index=summary.trigger_index,
        sample_interval_s=summary.sample_interval_s,
        channels=list(summary.channels),
        samples=summary.samples,
    )


def _capture(record: WaveformRecord) -> Capture:
    values = record.raw.astype(np.float64) * np.array(record.scale)[:, np.newaxis]
    return Capture(
        meter=record.meter,
        number=record.number,
        reason=record.reason,
        trigger_utc=utc_text(record.trigger_ns),
        trigger_index=record.trigger_index,
        sample_interval_s=record.sample_interval_s,
        channels=list(record.channels),
        samples=record.raw.shape[1],
        values=dict(zip(record.channels, values.tolist(), strict=True)),
    )
