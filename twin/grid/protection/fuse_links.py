"""Standard fuse links: type K and T of distribution cutouts, and gG of low-voltage networks.

Standards do not print curves of links. They print *gates*: currents between which every link of a rating
must melt at certain times. The links here go from gate to gate on straight log-log lines, the minimum melting
curve through the lower ends and the maximum one through the upper ends. A maker's own curve, where known, is
better: give it as points.
"""

import csv
from functools import cache
from importlib.resources import files

from twin.grid.protection.curves import PointCurve
from twin.grid.protection.fuses import FuseSettings
from twin.grid.protection.validation import refuse


def k_link(
    rating: float, *, arcing_time: float = 0.01, tolerance: float = 0.0, name: str = ""
) -> FuseSettings:
    """Return a fast distribution fuse link, type K.

    Parameters
    ----------
    rating : float
        Rated current [A]: 6, 10, 15, 25, 40, 65, 100, 140, 200 (preferred), 8, 12, 20, 30, 50, 80.
    arcing_time : float
        How long the arc burns [s]; the standard gates only the melting. An expulsion link interrupts at a
        zero of the current: about half a cycle on average.
    tolerance : float
        0 for the fastest link, 1 for the slowest.
    name : str
        Of the fuse; made from type and rating if empty.

    Returns
    -------
    FuseSettings
        Melting through the gates at 0.1 s, 10 s and 300 s (600 s above 100 A).

    Raises
    ------
    GridError
        When there is no such rating.

    References
    ----------
    ANSI C37.42-1996 (IEEE C37.42-2016), melting currents of type K and type T links.
    """
    return _distribution_link("k", rating, arcing_time, tolerance, name)


def t_link(
    rating: float, *, arcing_time: float = 0.01, tolerance: float = 0.0, name: str = ""
) -> FuseSettings:
    """Return a slow distribution fuse link, type T.

    Parameters, returns and raises are those of `k_link`.

    References
    ----------
    ANSI C37.42-1996 (IEEE C37.42-2016), melting currents of type K and type T links.
    """
    return _distribution_link("t", rating, arcing_time, tolerance, name)


def gg_link(
    rating: float, *, arcing_time: float = 0.0, tolerance: float = 0.0, name: str = ""
) -> FuseSettings:
    """Return a low-voltage fuse link of class gG.

    Parameters
    ----------
    rating : float
        Rated current [A]: 16, 20, 25, 32, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630.
    arcing_time : float
        How long the arc burns [s]; the gates are of pre-arcing times, beside which it is small from 0.1 s up.
    tolerance : float
        0 for the fastest link, 1 for the slowest.
    name : str
        Of the fuse; made from class and rating if empty.

    Returns
    -------
    FuseSettings
        Minimum: 1.25 In at the conventional time (1 h to 4 h), Imin at 10 s and 0.1 s, minimum ``I^2 t`` at
        0.01 s. Maximum: 1.6 In at the conventional time, Imax at 5 s and 0.1 s, maximum ``I^2 t`` at 0.01 s.

    Raises
    ------
    GridError
        When there is no such rating.

    References
    ----------
    IEC 60269-1:2006+A1:2009, table 2 (conventional times and currents), table 3 (gates), table 7
    (``I^2 t`` at 0.01 s).
    """
    name = name or f"gG {rating:g} A"
    row = _row("gg_links.csv", name, rating)
    conventional = 3600.0 * row["conventional_hours"]
    low = (
        (1.25 * rating, conventional),
        (row["i_min_10s"], 10.0),
        (row["i_min_01s"], 0.1),
        ((row["i2t_min_001s"] / 0.01) ** 0.5, 0.01),
    )
    high = (
        (1.6 * rating, conventional),
        (row["i_max_5s"], 5.0),
        (row["i_max_01s"], 0.1),
        ((row["i2t_max_001s"] / 0.01) ** 0.5, 0.01),
    )
    return _settings(name, low, high, arcing_time=arcing_time, tolerance=tolerance, longest=conventional)


def _distribution_link(
    kind: str, rating: float, arcing_time: float, tolerance: float, name: str
) -> FuseSettings:
    name = name or f"{rating:g}{kind.upper()}"
    row = _row("distribution_links.csv", name, rating)
    low, high = (
        (
            (row[f"long_{end}"], row["long_time"]),
            (row[f"{kind}_10s_{end}"], 10.0),
            (row[f"{kind}_01s_{end}"], 0.1),
        )
        for end in ("min", "max")
    )
    return _settings(name, low, high, arcing_time=arcing_time, tolerance=tolerance, longest=row["long_time"])


def _settings(
    name: str,
    low: tuple[tuple[float, float], ...],
    high: tuple[tuple[float, float], ...],
    *,
    arcing_time: float,
    tolerance: float,
    longest: float,
) -> FuseSettings:
    return FuseSettings(
        name,
        PointCurve(f"{name} minimum melting", low),
        PointCurve(f"{name} maximum melting", high),
        arcing_time=arcing_time,
        tolerance=tolerance,
        # The longest gate is where the standard takes a link for settled: five time constants.
        cooling_time=longest / 5.0,
    )


@cache
def _table(file: str) -> dict[float, dict[str, float]]:
    text = files(__package__).joinpath(file).read_text(encoding="utf-8")
    rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(text.splitlines())]
    return {row["rating"]: row for row in rows}


def _row(file: str, name: str, rating: float) -> dict[str, float]:
    table = _table(file)
    if rating not in table:
        raise refuse(name, "rating", rating, f"choose one of {', '.join(f'{r:g}' for r in table)} A")
    return table[rating]
