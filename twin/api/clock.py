"""Status and clock of the site."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator

from twin.api.models import Applied, ClockNow, Endpoint, MeterEntry, Status
from twin.api.problems import answers
from twin.api.site import STEP_PATIENCE_S, ControlledSite
from twin.contracts import Answer
from twin.recording.export import utc_text
from twin.scenario import local_datetime
from twin.scenario.times import time_zone
from twin.simulation.pacing import FASTEST, parse_speed

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


def _speed(value: Any, handler: ValidatorFunctionWrapHandler) -> float | str:
    """Check a speed by hand: of a union, what is wrong with each of its members would be told."""
    del handler
    if value == "max":
        return "max"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError('is neither a valid number nor "max"; give 0.1 to 1000, or "max"')
    return parse_speed(value)


class Speed(BaseModel):
    """How fast simulated time runs."""

    model_config = _STRICT
    speed: Annotated[
        float | Literal["max"],
        WrapValidator(_speed),
        WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0.1, "maximum": 1000}, {"const": "max"}]}),
    ] = Field(description="simulated seconds per second; max: as fast as possible")


class Step(BaseModel):
    """A length of simulated time."""

    model_config = _STRICT
    seconds: float = Field(ge=1e-6, le=86400, description="simulated time to let pass")


def local_text(utc_ns: int, zone: str) -> str:
    """Return an instant in local time with its offset from UTC, to the millisecond."""
    return local_datetime(utc_ns, time_zone(zone)).isoformat(timespec="milliseconds")


def applied(site: ControlledSite, answer: Answer) -> Applied:
    """Return an answer of the simulation as the interface's own."""
    return Applied(
        applied_utc=utc_text(answer.applied_ns),
        simulated_local=local_text(answer.applied_ns, site.frame().time_zone),
        detail=answer.detail,
    )


def routes(site: ControlledSite) -> APIRouter:
    """Return the operations."""
    router = APIRouter(tags=["site and clock"])

    @router.get("/status", responses=answers(503))
    def status() -> Status:
        """Return title, simulated time, speed, lateness, meters and endpoints."""
        return _status(site)

    @router.get("/clock", responses=answers(503))
    def clock() -> ClockNow:
        """Return the simulated time to the tick; the status is a second old at times."""
        frame, now_ns = site.frame(), site.session.now_ns
        return ClockNow(
            simulated_utc=utc_text(now_ns),
            simulated_local=local_text(now_ns, frame.time_zone),
            speed="max" if frame.speed == FASTEST else frame.speed,
            paused=frame.paused,
            ended=now_ns >= site.end_ns,
        )

    @router.post("/clock/pause", responses=answers(409, 503))
    def pause() -> Applied:
        """Let simulated time stand still."""
        return applied(site, site.ask("clock", "pause"))

    @router.post("/clock/resume", responses=answers(409, 503))
    def resume() -> Applied:
        """Let simulated time run."""
        return applied(site, site.ask("clock", "resume"))

    @router.put("/clock/speed", responses=answers(409, 503))
    def set_speed(body: Speed) -> Applied:
        """Have simulated time run faster or slower than real time."""
        return applied(site, site.ask("clock", "set_speed", speed=body.speed))

    @router.post("/clock/step", responses=answers(409, 503))
    def step(body: Step) -> Applied:
        """Pause, let some simulated time pass as fast as possible, and answer when it has.

        A step that takes over ten seconds of real time answers 503 and goes on: see the status.
        """
        return applied(site, site.ask("clock", "step", patience_s=STEP_PATIENCE_S, seconds=body.seconds))

    return router


def _status(site: ControlledSite) -> Status:
    frame = site.frame()
    endpoints: dict[str, list[Endpoint]] = {}
    for entry in site.endpoints():
        found = Endpoint(**{key: entry[key] for key in Endpoint.model_fields})
        endpoints.setdefault(str(entry["meter"]), []).append(found)
    return Status(
        title=frame.title,
        simulated_utc=utc_text(frame.sim_ns),
        simulated_local=local_text(frame.sim_ns, frame.time_zone),
        time_zone=frame.time_zone,
        speed="max" if frame.speed == FASTEST else frame.speed,
        paused=frame.paused,
        ended=frame.sim_ns >= site.end_ns,
        lateness_s=frame.lateness_s,
        notice=frame.notice,
        power_quality_events=frame.event_count,
        active_alarms=sum(line.active for line in frame.alarms),
        load_changes=frame.load_changes,
        network_solutions=frame.solves,
        dashboard=site.dashboard(),
        recording=str(site.recording),
        meters=[
            MeterEntry(
                name=line.name,
                profile=line.profile,
                location=line.location,
                bus=line.bus,
                rated_voltage=line.rated_voltage,
                rated_current=line.rated_current,
                endpoints=endpoints.get(line.name, []),
            )
            for line in frame.meters
        ],
    )
