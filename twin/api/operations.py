"""What an operator or instructor does to the site: switches, tap changers, injected events."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from twin.api.clock import applied
from twin.api.models import Applied, Switch, TapChanger
from twin.api.problems import ProblemError, answers
from twin.api.site import ControlledSite
from twin.scenario.live_events import LiveEvent

_VERBS = {"open": "open", "closed": "close"}


class SwitchOrder(BaseModel):
    """Where a switch shall be."""

    model_config = ConfigDict(extra="forbid", strict=True)
    to: Literal["open", "closed"]


class TapOrder(BaseModel):
    """Which way the voltage shall go."""

    model_config = ConfigDict(extra="forbid", strict=True)
    to: Literal["raise", "lower"]


class InputOrder(BaseModel):
    """What an instructor puts on an input of a meter's I/O modules."""

    model_config = ConfigDict(extra="forbid", strict=True)
    to: Literal["on", "off"] | None = Field(None, description="of a digital input")
    value: float | None = Field(
        None, ge=0, le=24, description="of an analogue input in mA; a signal of 5 V counts 4 mA per volt"
    )


_FAULT = {
    "event": "fault", "name": "F1", "bus": "HOME", "type": "slg", "phases": "a",
    "resistance": "50 mohm", "clear_after": "300 ms",
}  # fmt: skip


async def given_body(request: Request) -> Any:
    """Return the body as it came: a command is logged with the quantities as they were written."""
    try:
        return await request.json()
    except ValueError:
        return None  # the check of the body says so


def routes(site: ControlledSite) -> APIRouter:
    """Return the operations."""
    router = APIRouter(tags=["operation"])

    @router.get("/switches", responses=answers(503))
    def list_switches() -> list[Switch]:
        """Return all switches, breakers and capacitors' switches with their state."""
        return [
            Switch(name=line.name, bus=line.bus, kind=_kind(line.kind), closed=line.closed)
            for line in site.frame().switches
        ]

    @router.post("/switches/{switch}", responses=answers(404, 409, 503))
    def operate_switch(switch: str, body: SwitchOrder) -> Applied:
        """Open or close a switch; nothing happens to one that is there already."""
        names = [line.name for line in site.frame().switches]
        if switch not in names:
            raise ProblemError.unknown("switch", switch, names)
        return applied(site, site.ask(switch, _VERBS[body.to]))

    @router.get("/tap-changers", responses=answers(503))
    def list_tap_changers() -> list[TapChanger]:
        """Return all tap changers with their position."""
        return [
            TapChanger(
                name=line.name,
                transformer=line.transformer,
                position=line.position,
                lowest=line.lowest,
                highest=line.highest,
            )
            for line in site.frame().taps
        ]

    @router.post("/tap-changers/{tap_changer}", responses=answers(404, 409, 503))
    def operate_tap_changer(tap_changer: str, body: TapOrder) -> Applied:
        """Raise or lower the voltage by one step; refused at the last tap."""
        names = [line.name for line in site.frame().taps]
        if tap_changer not in names:
            raise ProblemError.unknown("tap changer", tap_changer, names)
        return applied(site, site.ask(tap_changer, body.to))

    @router.post("/meters/{meter}/inputs/{channel}", responses=answers(404, 409, 503))
    def drive_input(meter: str, channel: str, body: InputOrder) -> Applied:
        """Let a digital input (di1 ..) go on or off, or give an analogue one (ai1 ..) a signal.

        It stays so until whatever the scenario has wired to it changes. Refused where the module is not
        connected, and where pulses are wired to the input.
        """
        site.meter(meter)
        if body.to is not None and body.value is None:
            return applied(site, site.ask(meter, "set_input", input=channel, to=body.to))
        if body.value is not None and body.to is None:
            return applied(site, site.ask(meter, "set_analogue", input=channel, value=body.value))
        raise ProblemError(422, "needs one of 'to' and 'value'", "give 'to' for di.., 'value' for ai..")

    @router.post("/injections", responses=answers(404, 409, 503))
    def inject_event(
        body: Annotated[LiveEvent, Body(examples=[_FAULT])], given: Annotated[Any, Depends(given_body)]
    ) -> Applied:
        """Have something happen now, to the network or to a meter.

        A fault, a broken conductor, a repair, a motor that starts or stops; a meter's supply that fails or
        comes back, a meter that is wired or read wrongly. The fields are those of an event in a scenario
        file, without a time; 'repair' clears a fault. The command log keeps it with the simulated time at
        which it was applied.
        """
        del body  # it has been checked
        found = site.findings(given)
        if found:
            raise ProblemError.of_findings(found)
        return applied(site, site.ask("site", "inject", **given))

    return router


def _kind(kind: str) -> Literal["switch", "capacitor"]:
    return "capacitor" if kind == "capacitor" else "switch"
