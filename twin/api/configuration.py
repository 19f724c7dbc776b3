"""The configuration of a meter as a whole: to keep, and to apply; and the log of who changed it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from twin.api.models import Utc
from twin.api.problems import ProblemError, answers
from twin.api.site import ControlledSite
from twin.api.times import Instant, parse_utc
from twin.contracts import Finding, Mark
from twin.meters.kw320.configuration import (
    FORMAT,
    VERSION,
    configuration_problems,
    settings_of,
)
from twin.meters.kw320.module_log import RESTORED, module_events
from twin.recording.export import utc_text
from twin.simulation import LiveMeter


class Configuration(BaseModel):
    """Every setting register of a meter by name, raw."""

    model_config = ConfigDict(extra="forbid", strict=True)
    format: Literal["twin meter configuration"] = FORMAT
    version: Literal[1] = VERSION
    profile: str = Field(description="device family; a meter takes that of its own family alone")
    meter: str = Field("", description="whose it was")
    kept_utc: str = Field("", description="when it was read")
    registers: dict[str, int] = Field(description="raw values by name; those that are left out stay")


class ConfigurationApplied(BaseModel):
    """What applying a configuration did."""

    applied_utc: Utc
    changed: int = Field(description="registers that differed")


class ModuleEntry(BaseModel):
    """A line of a meter's event log."""

    utc: Utc
    level: Literal["Info", "Warning"]
    source: str = Field(description="who asked, for example modbus:head or api; Others: the module")
    message: str


def routes(site: ControlledSite) -> APIRouter:
    """Return the operations."""
    router = APIRouter(tags=["meters"])

    @router.get("/meters/{meter}/configuration", responses=answers(404, 503))
    def read_configuration(meter: str) -> Configuration:
        """Return a meter's configuration, to keep as a file and to apply to others."""
        live = site.meter(meter)
        published_ns, present = present_settings(site, live)
        return Configuration(
            profile=profile_of(site, meter),
            meter=meter,
            kept_utc=utc_text(published_ns),
            registers=present,
        )

    @router.post("/meters/{meter}/configuration/import", responses=answers(404, 409, 503))
    def apply_configuration(meter: str, body: Configuration) -> ConfigurationApplied:
        """Apply a configuration: all that differs is set, or nothing where anything is wrong or refused.

        The meter refuses settings that are sealed, or that contradict each other.
        """
        live, profile = site.meter(meter), profile_of(site, meter)
        published_ns, present = present_settings(site, live)
        found = [
            Finding(Mark(""), field, what, mend)
            for field, what, mend in configuration_problems(profile, present, body.registers)
        ]
        if body.profile != profile:
            what = f"'{body.profile}' is not the meter's"
            found.insert(0, Finding(Mark(""), "profile", what, f"apply that of a {profile}"))
        if found:
            raise ProblemError.of_findings(found)
        differing = {name: raw for name, raw in body.registers.items() if raw != present[name]}
        if not differing:
            return ConfigurationApplied(applied_utc=utc_text(published_ns), changed=0)
        answer = site.ask(meter, "import_configuration", registers=differing)
        return ConfigurationApplied(applied_utc=utc_text(answer.applied_ns), changed=len(differing))

    @router.get("/meters/{meter}/log", responses=answers(404, 503))
    def list_module_events(
        meter: str,
        after: Annotated[Instant | None, Query(description="only what is new since")] = None,
        limit: Annotated[int, Query(ge=1, le=10000, description="only the newest so many")] = 100,
    ) -> list[ModuleEntry]:
        """Return who changed settings and clock of a meter, who cleared what, and restarts; by time."""
        site.meter(meter)
        profile = profile_of(site, meter)
        recorded, after_ns = site.recorded(), None if after is None else parse_utc(after)
        restored = recorded.truth(kind=RESTORED, element=meter, after_ns=after_ns)
        lines = module_events(profile, meter, recorded.commands(after_ns=after_ns), restored)
        return [
            ModuleEntry(utc=utc_text(one.time_ns), level=one.level, source=one.source, message=one.message)
            for one in lines[-limit:]
        ]

    return router


def profile_of(site: ControlledSite, meter: str) -> str:
    """Return the device family of a meter."""
    return next(line.profile for line in site.frame().meters if line.name == meter)


def present_settings(site: ControlledSite, meter: LiveMeter) -> tuple[int, dict[str, int]]:
    """Return the setting registers of a meter as they are published, and when."""
    published_ns, words = meter.snapshot()
    addresses = [block.address + k for block in meter.image.blocks for k in range(block.count)]
    by_address = dict(zip(addresses, words.tolist(), strict=False))
    return published_ns, settings_of(profile_of(site, meter.name), by_address)
