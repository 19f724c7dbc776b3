"""The published point lists by name, and which of them fit a meter."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from twin.calibrator.point_list import CalibrationPoint, read_points
from twin.contracts import BadInputError, Finding, Mark
from twin.documents import suggestion

_FOLDER: Final = Path(__file__).parent / "points"
ALL: Final = "all"
ALIASES: Final = {
    "creep": "no-load",
    "flicker": "61000-4-15",
    "harmonics": "61000-4-7",
    "class-a": "61000-4-30",
}
"""Other names of sets."""


@dataclass(frozen=True, slots=True)
class PointSet:
    """A named list, or one for each class of a meter."""

    name: str
    title: str
    active: tuple[str, ...] = ()
    """Classes of active energy that it has a list for; it needs none where both are empty."""
    reactive: tuple[str, ...] = ()
    """Classes of reactive energy that it has a list for."""


SETS: Final = {
    one.name: one
    for one in (
        PointSet("62053-22", "active energy, limits of error by load and power factor", ("0.2S", "0.5S")),
        PointSet("62053-23", "reactive energy of sinusoids, classes 2 and 3", reactive=("2", "3")),
        PointSet("62053-24", "reactive energy of the fundamental, 0.5S and 1S", reactive=("0.5S", "1S")),
        PointSet("starting", "starting current", ("0.2S", "0.5S"), ("0.5S", "1S", "2", "3")),
        PointSet("no-load", "no-load condition", ("0.2S", "0.5S")),
        PointSet("61000-4-30", "class A verification under the testing states"),
        PointSet("61000-4-7", "harmonics and interharmonics, class I"),
        PointSet("61000-4-15", "flickermeter, tables of Pinst and Pst"),
    )
}
"""By name, in the order in which `all` runs them."""


def set_names() -> list[str]:
    """Return every name that ``--points`` knows: sets, their aliases, sets of one class, and ``all``."""
    names = list(SETS)
    for one in SETS.values():
        if one.name.startswith("62053"):
            names += [f"{one.name}-{cls}" for cls in (*one.active, *one.reactive)]
    return sorted([*names, *ALIASES, ALL])


def point_set(name: str, *, active_class: str, reactive_class: str) -> tuple[CalibrationPoint, ...]:
    """Return the points of a published set for a meter's classes.

    Parameters
    ----------
    name : str
        A set or its alias, a set of one class (``62053-22-0.5S``), or ``all``: then points bear the name
        of their set too.
    active_class, reactive_class : str
        Classes of the meter: which list a set without a class takes. ``62053-23`` takes class 2 for the
        classes of IEC 62053-24, which are tighter.

    Raises
    ------
    BadInputError
        There is no such set, or none for the meter's class.
    """
    if name == ALL:
        return tuple(
            replace(point, point=f"{one}: {point.point}")
            for one in SETS
            for point in point_set(one, active_class=active_class, reactive_class=reactive_class)
        )
    if name not in set_names():
        mend = suggestion(name, set_names(), "sets") + ", or the path of a point list"
        raise BadInputError(Finding(Mark("command line"), "--points", f"there is no set '{name}'", mend))
    name = ALIASES.get(name, name)
    if name not in SETS:
        return _read(name)
    one = SETS[name]
    if not one.active and not one.reactive:
        return _read(name)
    if name == "62053-23":
        return _read(f"{name}-{reactive_class if reactive_class in one.reactive else '2'}")
    if name == "62053-24":
        return _read(f"{name}-{reactive_class if reactive_class in one.reactive else '1S'}")
    if name == "62053-22":
        return _read(f"{name}-{active_class}")
    lists = [f"{name}-active-{active_class}"] if name == "starting" else [f"{name}-{active_class}"]
    lists += [f"{name}-reactive-{reactive_class}"] if one.reactive else []
    return tuple(point for file in lists for point in _read(file))


@cache
def _read(file: str) -> tuple[CalibrationPoint, ...]:
    return read_points(_FOLDER / f"{file}.csv", name=f"{file}.csv")
