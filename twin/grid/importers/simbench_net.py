"""From a SimBench code to a network file and a table of 15-minute load profiles, once and for all.

SimBench knows balanced loads and no zero sequence; what that leaves open is decided here by fixed rules and
reported, and it is written into the network file.
"""

import shutil
import tempfile
import warnings
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from twin.contracts import NS_PER_SECOND
from twin.documents import nearest
from twin.grid.components import PHASES, Load
from twin.grid.errors import GridError, MissingExtraError
from twin.grid.importers.pandapower_net import BALANCED, from_pandapower
from twin.grid.network import Network
from twin.grid.network_writer import write_network

SINGLE_PHASE_LIMIT = 4600.0
"""Largest household connection on one phase, the limit of unbalance in VDE-AR-N 4100 [VA]."""

_SMALL = {"load": ("H0",), "sgen": ("PV",), "storage": ("PV",)}
"""How the profiles of households and of their plants and batteries begin, by table."""

STEP_S = 900
"""Interval of the profiles [s]."""

TIME_ZONE = "Europe/Berlin"
"""Zone of the labels in the SimBench profiles: an hour is missing in March and stands twice in October."""


def import_simbench(code: str, out_dir: Path | str) -> list[str]:
    """Convert a SimBench network and its profiles.

    Writes ``network.yaml`` and ``profiles.parquet``: column ``start_ns`` (start of the interval, UTC [ns])
    and for each load NAME of the network ``NAME.p_w`` and ``NAME.q_var``, the sum over its phases, negative
    for generation [W, var].

    Parameters
    ----------
    code : str
        For example ``1-LV-semiurb4--0-no_sw``.
    out_dir : Path or str
        Directory to create; it appears complete or not at all.

    Returns
    -------
    list of str
        What was assumed.

    Raises
    ------
    MissingExtraError
        SimBench is not installed.
    GridError
        The code is unknown, the directory has content, or the network cannot be converted.

    References
    ----------
    S. Meinecke et al., SimBench - A Benchmark Dataset of Electric Power Systems, Energies 13 (2020) 3290.
    """
    target = Path(out_dir)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise GridError(f"{target} exists and is not empty; give a new directory")
    with warnings.catch_warnings():
        # Warnings of the libraries about each other are none of the caller's business.
        warnings.simplefilter("ignore")
        net, profiles = _load(code)
        network, assumptions = _convert(code, net)
        times = _interval_starts(list(net.profiles["load"]["time"]))
        columns = _columns(network, net, profiles)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        temporary.chmod(0o755)
        write_network(network, temporary / "network.yaml")
        _write_profiles(times, columns, temporary / "profiles.parquet")
        temporary.replace(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return assumptions


def _load(code: str) -> tuple[Any, dict[tuple[str, str], Any]]:
    """Return the pandapower network of a code, and its profiles in MW and Mvar by element and quantity."""
    try:
        simbench = import_module("simbench")
    except ImportError as error:
        what = f"simbench cannot be imported ({error}); install it: pip install 'site-twin[simbench]'"
        raise MissingExtraError(what) from error
    known = simbench.collect_all_simbench_codes()
    if code not in known:
        close = nearest(code, known)
        mend = f"did you mean '{close}'?" if close else f"a code reads like '{known[0]}'"
        raise GridError(f"SimBench has no network '{code}'; {mend}")
    net = simbench.get_simbench_net(code)
    return net, simbench.get_absolute_values(net, profiles_instead_of_study_cases=True)


def _convert(code: str, net: Any) -> tuple[Network, list[str]]:
    network, assumptions = from_pandapower(net)
    loads, single = _assign_phases(network.loads, _households(net))
    equal = "balanced loads and generators are split equally between the phases"
    assumptions = [sentence for sentence in assumptions if sentence != equal]
    assumptions.append(
        f"households, photovoltaic plants and their batteries up to {SINGLE_PHASE_LIMIT / 1e3:g} kVA "
        f"({single} of {len(loads)}) are connected to phases a, b, c in turn, in the order of the data; "
        "all others are split equally between the phases"
    )
    assumptions.append(f"labels of the profiles are local time, {TIME_ZONE}, at the start of an interval")
    network = replace(
        network,
        name=code,
        loads=loads,
        description="Distribution network of the SimBench data set.",
        origin=f"SimBench, code {code}; S. Meinecke et al., Energies 13 (2020) 3290.",
        assumptions=tuple(assumptions),
    )
    return network, assumptions


def _households(net: Any) -> list[bool]:
    """Return for each load and generator in service, in order, whether it may be single-phase by kind."""
    kinds: list[bool] = []
    for table, _ in BALANCED:
        frame = net[table][net[table]["in_service"].astype(bool)]
        kinds.extend(str(profile).startswith(_SMALL[table]) for profile in frame.get("profile", ()))
    return kinds


def _assign_phases(loads: tuple[Load, ...], small_kind: list[bool]) -> tuple[tuple[Load, ...], int]:
    """Connect small loads of a small kind to one phase each, in turn; return how many."""
    out, turn = [], 0
    for load, may in zip(loads, small_kind, strict=True):
        p, q = _total(load.p), _total(load.q)
        if may and abs(complex(p, q)) <= SINGLE_PHASE_LIMIT:
            out.append(replace(load, phases=PHASES[turn % 3], p=(p,), q=(q,)))
            turn += 1
        else:
            out.append(load)
    return tuple(out), turn


def _total(parts: tuple[float, ...]) -> float:
    """Return the sum of equal parts without the digits that adding them leaves."""
    return float(f"{sum(parts):.12g}")


def _interval_starts(labels: list[str]) -> NDArray[np.int64]:
    """Return UTC [ns] of each label, which must follow each other every 15 minutes of absolute time."""
    zone = ZoneInfo(TIME_ZONE)
    first = datetime.strptime(labels[0], "%d.%m.%Y %H:%M").replace(tzinfo=zone)
    start = round(first.timestamp())
    for at in range(0, len(labels), 96):
        expected = datetime.fromtimestamp(start + at * STEP_S, zone).strftime("%d.%m.%Y %H:%M")
        if expected != labels[at]:
            raise GridError(f"the profiles jump at '{labels[at]}': {expected} was expected")
    return (start + np.arange(len(labels), dtype=np.int64) * STEP_S) * NS_PER_SECOND


def _columns(
    network: Network, net: Any, profiles: dict[tuple[str, str], Any]
) -> dict[str, NDArray[np.float64]]:
    """Return the profiles by column name [W, var], in the order of the network's loads."""
    elements = [
        (table, int(index), sign)
        for table, sign in BALANCED
        for index in net[table].index[net[table]["in_service"].astype(bool)]
    ]
    steps = len(net.profiles["load"])
    columns: dict[str, NDArray[np.float64]] = {}
    for load, (table, index, sign) in zip(network.loads, elements, strict=True):
        for quantity, key in (("p_mw", "p_w"), ("q_mvar", "q_var")):
            frame = profiles.get((table, quantity))
            values = np.zeros(steps)
            if frame is not None and index in frame.columns:
                values = frame[index].to_numpy(dtype=np.float64)
            columns[f"{load.name}.{key}"] = sign * 1e6 * values
    return columns


def _write_profiles(times: NDArray[np.int64], columns: dict[str, NDArray[np.float64]], path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only a conversion needs it
    import pyarrow.parquet as pq  # noqa: PLC0415

    table = pa.table({"start_ns": pa.array(times), **{key: pa.array(v) for key, v in columns.items()}})
    pq.write_table(table, path, compression="zstd")
