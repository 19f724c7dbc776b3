"""What meters show: main values, and every register by its name."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query
from numpy.typing import NDArray

from twin.api.models import MeterNow, Register, Registers
from twin.api.problems import ProblemError, answers
from twin.api.site import ControlledSite
from twin.contracts import Frame, MeterLine, Point
from twin.recording.export import utc_text
from twin.simulation import LiveMeter

_MOST_NAMES = 500

_TYPES = {"uint16": ">u2", "int16": ">i2", "uint32": ">u4", "int32": ">i4", "float32": ">f4"}


def routes(site: ControlledSite) -> APIRouter:
    """Return the operations."""
    router = APIRouter(tags=["meters"])

    @router.get("/meters", responses=answers(503))
    def list_meters() -> list[MeterNow]:
        """Return what all meters show now."""
        frame = site.frame()
        return [_now(frame, line) for line in frame.meters]

    @router.get("/meters/{meter}", responses=answers(404, 503))
    def read_meter(meter: str) -> MeterNow:
        """Return what a meter shows now."""
        site.meter(meter)
        frame = site.frame()
        return next(_now(frame, line) for line in frame.meters if line.name == meter)

    @router.get("/meters/{meter}/registers", responses=answers(404, 503))
    def read_registers(
        meter: str,
        name: Annotated[
            list[str] | None,
            Query(max_length=_MOST_NAMES, description="names of registers; all when there are none"),
        ] = None,
    ) -> Registers:
        """Return registers of a meter, decoded: all values are of one publication."""
        return _registers(site.meter(meter), name)

    return router


def decoded(point: Point, words: NDArray[np.uint16]) -> float:
    """Return the primary value of a register in its unit.

    Parameters
    ----------
    point : Point
    words : uint16[1] or uint16[2]
        What it holds, high word first.
    """
    raw = words.astype(">u2").view(_TYPES[point.type])[0]
    return float(raw) * point.scale


def _registers(meter: LiveMeter, names: list[str] | None) -> Registers:
    published_ns, words = meter.snapshot()
    place: dict[int, int] = {}
    at = 0
    for block in meter.image.blocks:
        place.update(
            zip(range(block.address, block.address + block.count), range(at, at + block.count), strict=True)
        )
        at += block.count
    points = {point.name: point for point in meter.points_in(words) if point.address in place}
    for wanted in names or ():
        if wanted not in points:
            raise ProblemError.unknown("register", wanted, points)
    chosen = points.values() if not names else [points[wanted] for wanted in names]
    return Registers(
        meter=meter.name,
        published_utc=utc_text(published_ns),
        registers=[
            Register(
                name=point.name,
                value=decoded(point, words[place[point.address] : place[point.address] + point.words]),
                unit=point.unit,
                address=point.address,
                type=point.type,
                access=point.access.value,
            )
            for point in chosen
        ],
    )


def _now(frame: Frame, line: MeterLine) -> MeterNow:
    return MeterNow(
        name=line.name,
        measured_utc=utc_text(frame.sim_ns),
        v=list(line.v),
        i=list(line.i),
        p=line.p,
        q=line.q,
        s=line.s,
        pf=line.pf,
        frequency=line.frequency,
        thd_v=list(line.thd_v),
        thd_i=list(line.thd_i),
        v_unbalance=line.v_unbalance,
        p_demand=line.p_demand,
        energy_imported=line.ep_imp,
        energy_exported=line.ep_exp,
        in_event=line.in_event,
    )
