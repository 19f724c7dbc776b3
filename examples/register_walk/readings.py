"""What every readable register of the bench's meter should read, by address.

Addresses, formats and defaults are typed here from tables 6.3.1 to 6.3.8 of the KW320 manual.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import starmap

from examples.register_walk.bench import (
    ALARM_ABOVE_A,
    ALARM_DELAY_S,
    CHANGE_S,
    CT,
    CT1,
    CT2,
    EXPORT,
    IMPORT,
    MODULES,
    MONTH_END_S,
    PT,
    PT1,
    PT2,
    RATED_VOLTAGE,
    SECONDS,
    START,
)
from examples.register_walk.expected import Expected, exact, floating, joined, nearest, within
from examples.register_walk.truth import truth

FIRST, SECOND = truth(IMPORT.phasors()), truth(EXPORT.phasors())
"""Of the two stretches; the meter is read in the second."""
_LAST_S = SECONDS - CHANGE_S
_WINDOW_MIN = 15
_SCALARS = (
    *("frequency", "v1", "v2", "v3", "v_avg", "v12", "v23", "v31", "vll_avg", "i1", "i2", "i3", "i_avg"),
    *("i_n", "p1", "p2", "p3", "p_sum", "q1", "q2", "q3", "q_sum", "s1", "s2", "s3", "s_sum"),
    *("pf1", "pf2", "pf3", "pf"),
)
_EXTREMES = (
    *((name, 0.1) for name in ("v1", "v2", "v3", "v12", "v23", "v31")),
    *((name, 0.001) for name in ("i1", "i2", "i3")),
    *((name, 1.0) for name in ("p_sum", "q_sum", "s_sum")),
    *(("pf", 0.001), ("frequency", 0.01)),
    *((name, 1.0) for name in ("p_demand", "q_demand", "s_demand")),
    *((name, 0.001) for name in ("v_unbalance", "i_unbalance")),
    *((f"thd_{name}", 0.0001) for name in ("v1", "v2", "v3", "i1", "i2", "i3")),
)
"""Order and unit of a count of the maxima from 4136H and the minima from 41E5H, seven words each."""
_FUNCTIONS = {"p_demand": "p_sum", "q_demand": "q_sum", "s_demand": "s_sum"}
_ENERGIES = (*range(0x4048, 0x405A, 2), *range(0x4620, 0x463E, 2))
"""Those of the system, then by phase; each set of a month past follows the sequence."""
Choice = Callable[[list[float]], float]


def ratio(name: str) -> float:
    """Return primary over secondary of a quantity (6.3)."""
    if name.startswith(("pf", "thd", "frequency", "v_unb", "i_unb", "load", "angle")):
        return 1.0
    if name[0] in "uv":
        return PT
    return CT if name[0] == "i" else PT * CT


def expectations() -> list[Expected]:
    """Return what all registers should read."""
    return [
        *_settings(),
        *_instantaneous(0x3000),
        *floating(0x3200, SECOND["v2"] / PT, "custom block, v2"),
        *floating(0x3202, SECOND["p_sum"] / (PT * CT), "custom block, p_sum"),
        *exact(0x3204, *(0,) * 28, what="custom block"),
        *_instantaneous(0x4000),
        *floating(0x403C, SECOND["v_unbalance"], "v_unbalance"),
        *floating(0x403E, SECOND["i_unbalance"], "i_unbalance"),
        *floating(0x4040, SECOND["load_type"], "load_type"),
        *_demands(),
        *_energies(),
        *_harmonics(),
        *_extremes(0x4136, max),
        *_extremes(0x41E5, min),
        *_sequences(),
        *_alarm_records(),
        *_channels(),
        *exact(0x4F02, *(0,) * 19, what="no mesh module"),
        *_windows(),
    ]


def _settings() -> list[Expected]:
    pt1 = divmod(10 * PT1, 0x10000)
    setpoint = round(1000 * ALARM_ABOVE_A / CT)
    return [
        *exact(0x0FFD, 0, 0, 3, what="frequency, port 1"),
        *exact(0x1000, 0, 1, 19200, what="password, port 1"),
        *exact(0x1003, 0, 0, *pt1, 10 * PT2, CT1, CT2, what="wiring, ratios"),
        *exact(0x100A, 1, 1, 1, _WINDOW_MIN, 1, 0, 0x55, 0, what="pulses, panel, demand, clears"),
        *exact(0x1012, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, what="directions, conventions, displays"),
        *exact(0x101E, 0, 0, what="seal"),
        *exact(0x1020, *(0,) * 14, what="clear alarm records, among what is reserved"),
        *exact(0x102E, 1, what="an alarm has come"),
        *exact(0x102F, 38400, 3, 1, what="port 2"),
        *exact(0x1032, 2, 0, what="alarm records, SOE"),
        *within(0x1034, "dword", SECONDS // 36, SECONDS // 36, "run time [0.01 h]"),
        *exact(0x1036, sum(1 << bit for bit in MODULES.values()), what="modules"),
        *exact(0x1037, 0, 0, 0, 0, 0, 0, 0, 0, what="protocol of port 2, download, clears of tariff demands"),
        *exact(0x103F, 0, *_stamp(SECONDS), what="clock, on a Sunday"),
        *exact(0x1046, 1, 0, 1 << 2, 0, 0, 0, 0, 0, what="alarms"),
        *exact(0x104E, *(0, 1, 0, 0, 0) * 2, what="alarm channels 1, 2"),
        *exact(0x1058, 9, 1, setpoint, 100 * ALARM_DELAY_S, 0, what="alarm channel 3"),
        *exact(0x105D, *(0, 1, 0, 0, 0) * 13, what="alarm channels 4..16"),
        *exact(0x109E, 0, 0, 0, 0, 50, what="IO11"),
        *exact(0x10A3, 0, 0, 0, 20, 0, 0, 1, what="IO21"),
        *exact(0x10AA, 0, 0, 0, 0, 50, 1, what="IO31"),
        *exact(0x10B0, 0, 0, 0, 0, 50, what="IO12"),
        *exact(0x10B5, 0, 0, 0, 20, 0, 0, 1, what="IO22"),
        *exact(0x10BC, 0, 0, 0, 0, 50, 1, what="IO32"),
        *exact(0x10C2, 0, 0, 0, 0, what="what AO1..AO4 follow"),
        *exact(0x10D0, *(1, 0, 0, 0, 0, 0, 0, 0, 0) * 4, what="curves of AO1..AO4"),
        *exact(0x1100, *(0,) * 576, what="data logs"),
        *exact(0x8000, 0, 0, 0, 0, RATED_VOLTAGE, 0, 20, 200, 0, 140, what="sag, swell"),
        *exact(0x800A, 0, 1000 * CT2, 0, 100, 0, 0, what="over-current, clears"),
    ]


def _stamp(second: int) -> tuple[int, ...]:
    """Return year .. second of so many seconds after the start."""
    at = datetime(*START, tzinfo=UTC) + timedelta(seconds=second)
    return at.year, at.month, at.day, at.hour, at.minute, at.second


def _instantaneous(start: int) -> list[Expected]:
    return joined(
        floating(start + 2 * k, SECOND[name] / ratio(name), name) for k, name in enumerate(_SCALARS)
    )


# -- over time ------------------------------------------------------------------------------------------


def _sliding(name: str) -> list[float]:
    """Return a demand of the start and of each minute: the sliding window began with zeros (4.1)."""
    minutes = [FIRST[name]] * (CHANGE_S // 60) + [SECOND[name]] * (_LAST_S // 60)
    return [sum(minutes[:k]) / _WINDOW_MIN for k in range(len(minutes) + 1)]


def _demands() -> list[Expected]:
    places = [(0x4042, "p_sum"), (0x4044, "q_sum"), (0x4046, "s_sum")]
    places += [(0x4600 + 2 * k, f"i{k + 1}") for k in range(3)]
    shown = joined(floating(a, _sliding(name)[-1] / ratio(name), f"{name} demand") for a, name in places)
    for k, name in enumerate(("i1", "i2", "i3")):
        course = [value / CT for value in _sliding(name)]
        shown += nearest(0x4606 + 7 * k, "int", max(course), 0.001, f"max {name} demand")
        shown += exact(0x4607 + 7 * k, *_stamp(60 * course.index(max(course))), what=f"max {name} demand")
    return shown + exact(0x461B, 0)


def _energies() -> list[Expected]:
    """Energies of all, of the month that is over, and of six months before there was a meter."""
    shown = joined(starmap(_energy, zip(_ENERGIES, _counted(CHANGE_S, _LAST_S), strict=True)))
    months = [_counted(MONTH_END_S, 0), *[(0.0,) * len(_ENERGIES)] * 6]
    for back, month in enumerate(months):
        start = 0x463E + 2 * len(_ENERGIES) * back
        shown += joined(_energy(start + 2 * k, value) for k, value in enumerate(month))
    return shown


def _counted(first_s: int, second_s: int) -> tuple[float, ...]:
    """Return what so many seconds of the two stretches import and export, in the order of `_ENERGIES`."""
    parts: dict[str, float] = {}
    for letter in "pq":
        for k in (1, 2, 3):
            for stretch, seconds in ((FIRST, first_s), (SECOND, second_s)):
                watts = stretch[f"{letter}{k}"]
                name = f"{letter}{k} {'import' if watts > 0 else 'export'}"
                parts[name] = parts.get(name, 0.0) + abs(watts) * seconds / 3600
    both = [sum(parts.get(f"{letter}{k} import", 0.0) for k in (1, 2, 3)) for letter in "pq"]
    back = [sum(parts.get(f"{letter}{k} export", 0.0) for k in (1, 2, 3)) for letter in "pq"]
    apparent = [FIRST[f"s{k}"] * first_s / 3600 + SECOND[f"s{k}"] * second_s / 3600 for k in (1, 2, 3)]
    system = [both[0], back[0], both[1], back[1], both[0] + back[0], both[0] - back[0]]
    system += [both[1] + back[1], both[1] - back[1], sum(apparent)]
    ways = [f"{letter}{k} {way}" for letter in "pq" for k in (1, 2, 3) for way in ("import", "export")]
    return (*system, *(parts.get(way, 0.0) for way in ways), *apparent)


def _energy(address: int, watt_hours: float) -> list[Expected]:
    counts = abs(watt_hours) / 100
    whole = [int(counts - 1e-3), int(counts + 1e-3)]  # a count that is just complete, or just not yet
    low, high = sorted(whole if watt_hours > 0 else [-each for each in whole])
    return within(address, "signed dword", low, high, "energy [0.1 kWh]")


def _extremes(start: int, choice: Choice) -> list[Expected]:
    shown: list[Expected] = []
    for place, (name, count) in enumerate(_EXTREMES):
        address, what = start + 7 * place, f"{choice.__name__} {name}"
        if name in _FUNCTIONS:
            course, seconds = _sliding(_FUNCTIONS[name]), [1, 60, 120, 180]
            course = [value / ratio(_FUNCTIONS[name]) for value in course]
        else:
            course, seconds = [values[name] / ratio(name) for values in (FIRST, SECOND)], [1, CHANGE_S + 1]
        shown += nearest(address, "int", choice(course), count, what)
        when = _stamp(seconds[course.index(choice(course))])
        if name == "frequency":  # it stays the same but for the last bit, so the stamp may be any
            for word, ends in enumerate(zip(_stamp(0), _stamp(SECONDS), strict=True), start=1):
                shown += within(address + word, "word", *((0, 59) if word == 6 else sorted(ends)), what)
        else:
            shown += exact(address + 1, *when, what=what)
    return shown


def _alarm_records() -> list[Expected]:
    """I1 > setpoint from the first second on, for some seconds; recovery with the second stretch."""
    shown = []
    for address, status, values, begin in (
        (0x42A9, 9 << 8 | 1, (FIRST["i1"], FIRST["i1"]), ALARM_DELAY_S),
        # What makes it return may be the window in which the one stretch gives way to the other.
        (0x42B3, 9 << 8, (SECOND["i1"], ALARM_ABOVE_A), CHANGE_S),
    ):
        shown += exact(address, status, 9, what="alarm record")
        low, high = sorted(1000 * value / CT for value in values)
        shown += within(address + 2, "word", low - 0.5, high + 0.5, "alarm record's value")
        *date, second = _stamp(begin)
        shown += exact(address + 3, *date, what="alarm record's time")
        shown += within(address + 8, "word", second, second + 1, "alarm record's second")
        shown += within(address + 9, "word", 0, 999, "alarm record's millisecond")
    return shown + exact(0x42BD, *(0,) * 140, what="alarm records 3..16")


# -- shapes and phasors ---------------------------------------------------------------------------------


def _harmonics() -> list[Expected]:
    names = ("v1", "v2", "v3", "v_avg", "i1", "i2", "i3", "i_avg")
    shown = joined(
        nearest(0x405A + k, "word", SECOND[f"thd_{n}"], 1e-4, f"THD {n}") for k, n in enumerate(names)
    )
    low = {"v1": 0x4062, "v2": 0x4084, "v3": 0x40A6, "i1": 0x40C8, "i2": 0x40E9, "i3": 0x410A}
    high = {"v1": 0x4500, "v2": 0x4520, "v3": 0x4540, "i1": 0x4560, "i2": 0x4580, "i3": 0x45A0}
    for name, first in low.items():
        for order in range(2, 64):
            address = first + order - 2 if order < 32 else high[name] + order - 32
            shown += nearest(address, "word", SECOND[f"{name}_h{order}"], 1e-4, f"{name} order {order}")
        shown += nearest(first + 30, "word", SECOND[f"{name}_odd"], 1e-4, f"{name} odd")
        shown += nearest(first + 31, "word", SECOND[f"{name}_even"], 1e-4, f"{name} even")
        if name[0] == "v":
            shown += nearest(first + 32, "word", SECOND[f"{name}_crest"], 1e-3, f"{name} crest")
            shown += nearest(first + 33, "word", SECOND[f"{name}_thff"], 1e-4, f"{name} THFF")
        else:
            shown += nearest(first + 32, "word", SECOND[f"{name}_k_factor"], 0.1, f"{name} K factor")
    return shown + exact(0x412B, 0) + exact(0x45C0, *(0,) * 64)


def _sequences() -> list[Expected]:
    parts = [f"{name}_{part}" for name in ("positive", "negative", "zero") for part in ("real", "imag")]
    shown = []
    for k, part in enumerate(parts):
        shown += nearest(0x4294 + k, "int", SECOND[f"ua_{part}"] / PT, 0.1, f"Ua {part}")
        shown += nearest(0x429A + k, "int", SECOND[f"ia_{part}"] / CT, 0.001, f"Ia {part}")
    for k, name in enumerate(("v2", "v3", "i1", "i2", "i3")):
        shown += nearest(0x42A0 + k, "word", SECOND[f"angle_{name}_v1"], 0.1, f"angle {name} to v1")
    return shown + exact(0x42A5, 0, 0, 0, 0, what="reserved")


# -- what nothing is wired to, and what nobody has asked for ----------------------------------------------


def _channels() -> list[Expected]:
    shown = exact(0x4349, *(0,) * 56, what="pulse counters") + exact(0x4381, *(0,) * 8, what="AI")
    # 4-20 mA at the least: 819 of 4096 counts of 20 mA.
    shown += joined(floating(0x4389 + 2 * k, 819 * 20 / 4096, "AO [mA]") for k in range(4))
    shown += exact(0x4391, *(0,) * 8)
    return shown + exact(0x4399, *(0,) * 160, what="SOE records") + exact(0x4439, 0, what="SOE module")


def _windows() -> list[Expected]:
    """Return what a new session sees of empty logs; what windows retrieve has tests of its own."""
    return [
        *exact(0x6000, 0, 0x00FF, 0, 0, *(0,) * 123, what="data log window"),
        *joined(exact(first, *(0,) * 12, what="data log status") for first in (0x6100, 0x6200, 0x6300)),
        *exact(0x8CFD, 0, 1, 1, *(0,) * 80, what="event window"),
        *exact(0x8E00, 1, 0, 0xFF, 0, *(0,) * 64, what="waveform window"),
    ]
