"""One variant from its settings to the rows of its results, just as ``twin run`` would run it."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin.contracts import NS_PER_SECOND, EventRecord
from twin.scenario import SiteScenario
from twin.sweeps.plan import Variant
from twin.sweeps.schema import Balance
from twin.sweeps.site_files import SiteFiles

Row = dict[str, Any]

_STEP_NS = 900 * NS_PER_SECOND
"""Stretch of simulated time after which the recording is made durable [ns]."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a variant came to."""

    number: int
    """Of the variant."""
    seconds: float
    """Wall time [s]."""
    result: Row
    """Columns of the table of variants, by name; without the parameters."""
    events: list[Row]
    """Rows of the table of events, without the variant."""

    @property
    def failed(self) -> bool:
        """Whether it has no results but a reason."""
        return self.result.get("error") is not None


@dataclass(frozen=True, slots=True)
class Order:
    """How every variant of a sweep is run."""

    duration_s: float | None
    balance: Balance | None


def run_variant(files: SiteFiles, variant: Variant, order: Order) -> Outcome:
    """Run a variant and return what it came to; whatever goes wrong in it is its result."""
    started = time.monotonic()
    try:
        result, events = _run(files.variant(variant.settings, duration_s=order.duration_s), order)
    except Exception as error:  # a variant that fails is a row with its reason
        folder = f"{files.path.parent}/"
        reason = " ".join(str(error).replace(folder, "").split()) or "no reason given"
        result, events = {"error": f"{type(error).__name__}: {reason}"}, []
    seconds = time.monotonic() - started
    return Outcome(variant.number, seconds, {**result, "seconds": seconds}, events)


def failed(variant: Variant, reason: str) -> Outcome:
    """Return the outcome of a variant that could not be run at all."""
    return Outcome(variant.number, 0.0, {"error": reason}, [])


def _run(scenario: SiteScenario, order: Order) -> tuple[Row, list[Row]]:
    from twin.recording import Recording, content_hash  # noqa: PLC0415
    from twin.simulation import build_site  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="twin-variant-") as folder:
        out = Path(folder) / "recording"
        with build_site(scenario) as site:
            site.begin()
            site.record_to(out, overwrite=False)
            engine = site.engine
            while engine.now_ns < scenario.end_ns:
                engine.advance_to(min(engine.now_ns + _STEP_NS, scenario.end_ns))
            summary = site.summary()
        hashed = content_hash(out)
        events = Recording.open(out).events()
    return {"content_hash": hashed, **_results(scenario, summary, events, order)}, [
        _event_row(event) for event in events
    ]


def _results(scenario: SiteScenario, summary: Row, events: Sequence[EventRecord], order: Order) -> Row:
    meters = {meter["name"]: meter for meter in summary["meters"]}
    row: Row = {"simulated_s": summary["simulated_s"], "load_changes": summary["load_changes"]}
    row |= _counts(events)
    row["events"] = len(events)
    deepest = min((event for event in events if event.type == "sag"), key=_percent, default=None)
    row["deepest_sag_percent"] = None if deepest is None else _percent(deepest)
    row["deepest_sag_meter"] = None if deepest is None else deepest.meter
    row["sarfi_90"] = sarfi(scenario, events, 90.0)
    row["sarfi_70"] = sarfi(scenario, events, 70.0)
    row["alarms"] = sum(meter["alarms"] for meter in meters.values())
    row["captures"] = sum(meter["captures"] for meter in meters.values())
    row["balance_wh"] = None if order.balance is None else balance_wh(meters, order.balance)
    for name, meter in meters.items():
        own = [event for event in events if event.meter == name]
        sags = [event.extreme for event in own if event.type == "sag"]
        told = {**meter, **_counts(own), "deepest_sag_v": min(sags, default=None)}
        row |= {f"{name}.{key}": value for key, value in told.items() if key != "name"}
    return row


def _counts(events: Iterable[EventRecord]) -> Row:
    counts = Counter(event.type for event in events)
    return {"sags": counts["sag"], "swells": counts["swell"], "over_currents": counts["over_current"]}


def _percent(event: EventRecord) -> float:
    """Return the extreme of an event, of the rated value [%]."""
    return 100.0 * event.extreme / event.rated


def sarfi(scenario: SiteScenario, events: Iterable[EventRecord], percent: float) -> float | None:
    """Return the system average RMS variation frequency index of one run.

    Parameters
    ----------
    scenario : SiteScenario
        Whose meters watch for sags.
    events : iterable of EventRecord
        Of all of its meters.
    percent : float
        X of SARFI-X: sags below this share of the rated voltage count [%].

    Returns
    -------
    float or None
        Sags below X per meter that watches, each meter standing for one customer, each event counted, those
        of one reclosing sequence too. None where no meter watches, or one that does records no sag above a
        threshold below X.

    References
    ----------
    IEEE Std 1564-2014, SARFI-X.
    """
    thresholds = [
        meter.config.registers["sag_threshold_percent"]
        for meter in scenario.meters
        if "sag_threshold_percent" in meter.config.registers
    ]
    if not thresholds or min(thresholds) < percent:
        return None
    below = sum(event.type == "sag" and _percent(event) < percent for event in events)
    return below / len(thresholds)


def balance_wh(meters: dict[str, Row], balance: Balance) -> float:
    """Return what came in and did not go out again, as the meters counted it [Wh].

    Parameters
    ----------
    meters : dict
        ``import_wh`` and ``export_wh`` of each meter by its name.
    balance : Balance
        Which meters supply, and through which energy is delivered.
    """
    net = {name: meter["import_wh"] - meter["export_wh"] for name, meter in meters.items()}
    return float(sum(net[name] for name in balance.supplied) - sum(net[name] for name in balance.delivered))


def _event_row(event: EventRecord) -> Row:
    lasted = None if event.end_ns is None else (event.end_ns - event.start_ns) / NS_PER_SECOND
    return {
        "meter": event.meter,
        "number": event.number,
        "type": event.type,
        "phases": event.phases,
        "start": event.start_ns,
        "duration_s": lasted,
        "extreme": event.extreme,
        "extreme_percent": _percent(event),
        "threshold": event.threshold,
        "rated": event.rated,
    }
