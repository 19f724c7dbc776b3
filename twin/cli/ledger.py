"""``twin recording ledger``: what happened, who could and did know of it, and what led to each record."""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from twin.contracts import AlarmRecord, EventRecord

if TYPE_CHECKING:
    from twin.recording import Recording
    from twin.recording.ledger import Disturbance, Ledger


def ledger(options: argparse.Namespace) -> int:
    """Print the ledger of a recording; nothing at all of a meter that it does not have."""
    from twin.recording import Recording  # noqa: PLC0415
    from twin.recording.ledger import Ledger  # noqa: PLC0415

    recording = Recording.open(options.recording)
    if options.meter is not None:
        recording.check_meter(options.meter)
    found = Ledger(recording)
    content = {
        "disturbances": [_disturbance(one, recording, options.meter) for one in found.disturbances()],
        "chains": [_chain(found, record) for record in found.records(options.meter)],
    }
    if options.json:
        sys.stdout.write(json.dumps(content) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _lines(content))
    return 0


def _disturbance(one: "Disturbance", recording: "Recording", meter: str | None) -> dict[str, Any]:
    names = [info.name for info in recording.meters() if meter in {None, info.name}]
    return {
        **_entry(one.root),
        "followed_by": [_entry(entry) for entry in one.entries if entry is not one.root],
        "meters": [
            {
                "meter": name,
                "lowest_v_volt": _number(one.lowest_v.get(name)),
                "highest_i_ampere": _number(one.highest_i.get(name)),
                "events": [event.number for event in one.events if event.meter == name],
                "alarms": [alarm.channel for alarm in one.alarms if alarm.meter == name],
            }
            for name in names
        ],
    }


def _entry(entry: Any) -> dict[str, Any]:
    return {
        "time_utc": _text(entry.time_ns),
        "kind": entry.kind,
        "element": entry.element,
        "cause": entry.cause,
        "detail": dict(entry.detail),
    }


def _chain(found: "Ledger", record: EventRecord | AlarmRecord) -> dict[str, Any]:
    if isinstance(record, EventRecord):
        what, links = f"{record.type} {record.number}", found.of_event(record)
    else:
        what, links = f"alarm {record.channel}", found.of_alarm(record)
    steps = [{"time_utc": _text(link.time_ns), "stage": link.stage, "text": link.text} for link in links]
    return {"meter": record.meter, "record": what, "links": steps}


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _text(time_ns: int) -> str:
    from twin.recording.export import utc_text  # noqa: PLC0415

    return utc_text(time_ns)


def _lines(content: dict[str, Any]) -> Iterator[str]:
    for one in content["disturbances"]:
        day, clock = one["time_utc"].split("T")
        yield f"{day}T{_clock(clock)}Z {_words(one['kind'])}: {one['element']} by {one['cause']}"
        for entry in one["followed_by"]:
            yield f"  {_clock(entry['time_utc'][11:])} {_words(entry['kind'])}: {entry['element']}"
        for meter in one["meters"]:
            yield f"  {meter['meter']:<20} {_could(meter)}; {_did(meter)}"
    if not content["disturbances"]:
        yield "Nothing happened to the network but loads."
    for chain in content["chains"]:
        yield f"{chain['meter']}, {chain['record']}:"
        for link in chain["links"]:
            yield f"  {_clock(link['time_utc'][11:])} {_words(link['stage']):<12} {link['text']}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _clock(text: str) -> str:
    """Return a time of day to the millisecond, so that columns stand below each other."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return f"{whole}.{fraction[:3]:0<3}"


def _could(meter: dict[str, Any]) -> str:
    volts, amperes = meter["lowest_v_volt"], meter["highest_i_ampere"]
    if volts is None or amperes is None:
        return "nothing of it came here"
    return f"down to {volts:,.1f} V, up to {amperes:,.1f} A"


def _did(meter: dict[str, Any]) -> str:
    seen = [f"event {number}" for number in meter["events"]] + [f"alarm {n}" for n in meter["alarms"]]
    return "recorded " + ", ".join(seen) if seen else "recorded nothing"
