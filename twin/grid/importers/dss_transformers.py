"""Transformers and their regulators in an OpenDSS script: windings, their connection, what clock it makes."""

import math
from dataclasses import dataclass, field

from twin.grid.importers.dss_script import Script, ScriptObject
from twin.grid.importers.dss_values import Edit, Terminal, terminal

_OTHER_IMPEDANCES = ("xht", "xlt", "x13", "x23")
_WINDING_LISTS = {"buses": "bus", "conns": "conn", "kvs": "kv", "kvas": "kva", "taps": "tap", "%rs": "%r"}
_ON_GRID = 1e-6
"""How far from a whole position a tap may be, in positions."""


@dataclass(slots=True)
class RawWinding:
    """One winding; the defaults are those of OpenDSS."""

    bus: Edit | None = None
    bus_text: str = ""
    delta: bool = False
    kv: float = 12.47
    kva: float = 1000.0
    tap: float = 1.0
    r: float = 0.2
    """[%]"""
    r_neutral: float = -1.0
    """Negative: none [ohm]."""
    x_neutral: float = 0.0
    tap_max: float = 1.1
    tap_min: float = 0.9
    tap_count: int = 32
    at: Terminal = field(default_factory=lambda: Terminal("", ()))

    @property
    def step(self) -> float:
        """Change from tap to tap [pu]."""
        return (self.tap_max - self.tap_min) / self.tap_count if self.tap_count else 0.0

    def position(self, value: float) -> float:
        """Return a tap as a number of steps from the rated ratio."""
        return (value - 1.0) / self.step if self.step else math.nan

    @property
    def on_grid(self) -> bool:
        """Whether its tap is a whole number of steps."""
        place = self.position(self.tap)
        return abs(place - round(place)) < _ON_GRID if math.isfinite(place) else False


@dataclass(slots=True)
class RawTransformer:
    """A transformer before its buses have conductors; winding 1 becomes the side called high."""

    source: ScriptObject
    phases: int
    windings: tuple[RawWinding, RawWinding]
    x_percent: float
    r_percent: float
    p_iron_percent: float
    i_magnetising_percent: float
    lead: bool
    """Whether the lower voltage leads in delta-star (Dyn11), instead of lagging (Dyn1)."""

    @property
    def clock(self) -> int:
        """Hours by which winding 2 lags winding 1, as numbered by OpenDSS."""
        one, two = self.windings
        if one.delta == two.delta:
            return 0
        return 1 if self.lead == (one.kv < two.kv) else 11


class _Builder:
    def __init__(self, script: Script, one: ScriptObject) -> None:
        self.script, self.one = script, one
        self.windings = [RawWinding(), RawWinding()]
        self.active = 0
        self.phases = 3
        self.x = 7.0
        self.iron = self.magnetising = 0.0
        self.lead = False

    def take(self, edit: Edit) -> None:
        key = edit.key
        winding = self.windings[self.active]
        if key == "xfmrcode":
            code = self.script.objects.get(("xfmrcode", edit.value.lower()))
            if code is None:
                raise edit.refuse(f"there is no xfmrcode '{edit.value}'", "define it above the transformer")
            for inner in code.edits:
                self.take(inner)
        elif key == "phases":
            self.phases = edit.whole
        elif key == "windings":
            self._count(edit, edit.whole)
        elif key == "wdg":
            if edit.whole > 2:
                self._count(edit, edit.whole)
            self.active = max(edit.whole, 1) - 1
        elif key in _WINDING_LISTS:
            self._list(edit)
        elif key in {
            "bus",
            "conn",
            "kv",
            "kva",
            "tap",
            "%r",
            "rneut",
            "xneut",
            "maxtap",
            "mintap",
            "numtaps",
        }:
            self._winding(edit, winding, key, edit.value)
        elif key in {"xhl", "x12"}:
            self.x = edit.number
        elif key == "%loadloss":
            for each in self.windings:
                each.r = edit.number / 2.0
        elif key == "%noloadloss":
            self.iron = edit.number
        elif key == "%imag":
            self.magnetising = edit.number
        elif key == "leadlag":
            self.lead = edit.value.lower()[:2] in {"le", "eu"}
        elif key == "xscarray":
            self.x = edit.numbers[0]

    def _count(self, edit: Edit, count: int) -> None:
        if count != 2:
            what = f"has {count} windings"
            mend = "only two can be converted: replace it by two transformers with two windings each"
            raise edit.refuse(what, mend)

    def _list(self, edit: Edit) -> None:
        values = edit.words
        if len(values) > 2:
            self._count(edit, len(values))
        for winding, text in zip(self.windings, values, strict=False):
            self._winding(edit, winding, _WINDING_LISTS[edit.key], text)

    def _winding(self, edit: Edit, winding: RawWinding, key: str, text: str) -> None:
        one = Edit(key, text, edit.mark, edit.command, edit.field)
        if key == "bus":
            winding.bus, winding.bus_text = one, text
        elif key == "conn":
            winding.delta = is_delta(one)
        elif key == "kv":
            winding.kv = one.positive
        elif key == "kva":
            winding.kva = one.positive
        elif key == "tap":
            winding.tap = one.positive
        elif key == "%r":
            winding.r = one.number
        elif key == "rneut":
            winding.r_neutral = one.number
        elif key == "xneut":
            winding.x_neutral = one.number
        elif key == "maxtap":
            winding.tap_max = one.number
        elif key == "mintap":
            winding.tap_min = one.number
        else:
            winding.tap_count = one.whole

    def done(self) -> RawTransformer:
        one = self.one
        if self.phases not in {1, 3}:
            what = f"has {self.phases} phases"
            raise one.refuse(what, "give one or three; make an open delta of two with one phase each")
        for number, winding in enumerate(self.windings, start=1):
            if winding.bus is None:
                raise one.refuse(f"winding {number} has no bus", "give buses=[.. ..]")
            defaults = (*range(1, self.phases + 1), 0)
            winding.at = terminal(winding.bus, winding.bus_text, defaults)
        first, second = self.windings
        # OpenDSS relates both resistances to the rating of winding 1, whatever that of winding 2 is.
        r = first.r + second.r
        return RawTransformer(
            one, self.phases, (first, second), self.x, r, self.iron, self.magnetising, self.lead
        )


def is_delta(edit: Edit) -> bool:
    """Return whether a connection is delta.

    Raises
    ------
    ScriptError
        It is none.
    """
    word = edit.value.lower()
    if word.startswith("d") or word == "ll":
        return True
    if word.startswith(("w", "y")) or word == "ln":
        return False
    raise edit.refuse(f"'{edit.value}' is no connection", "give wye or delta")


def raw_transformer(script: Script, one: ScriptObject) -> RawTransformer:
    """Return a transformer's data.

    Raises
    ------
    ScriptError
        It says something that has no counterpart.
    """
    builder = _Builder(script, one)
    for edit in one.edits:
        builder.take(edit)
    return builder.done()


@dataclass(frozen=True, slots=True)
class RawRegulator:
    """A regulator's control; the defaults are those of OpenDSS."""

    source: ScriptObject
    transformer: str
    """Lower case."""
    v_set: float
    band: float
    pt_ratio: float
    ct_primary: float
    r: float
    x: float
    delay: float
    tap_delay: float
    phase: int
    bus: Terminal | None


def raw_regulator(one: ScriptObject) -> RawRegulator:
    """Return a regulator's settings.

    Raises
    ------
    ScriptError
        It says something that has no counterpart.
    """
    values = {
        "vreg": 120.0,
        "band": 3.0,
        "ptratio": 60.0,
        "ctprim": 300.0,
        "r": 0.0,
        "x": 0.0,
        "delay": 15.0,
        "tapdelay": 2.0,
    }
    winding = tap_winding = 0
    transformer, phase = "", 1
    bus: Terminal | None = None
    for edit in one.edits:
        if edit.key in values:
            values[edit.key] = edit.number
        elif edit.key == "transformer":
            transformer = edit.value.lower().removeprefix("transformer.")
        elif edit.key == "winding":
            winding = tap_winding = edit.whole
        elif edit.key == "tapwinding":
            tap_winding = edit.whole
        elif edit.key == "ptphase":
            phase = edit.whole if edit.value.isdecimal() else 0
        elif edit.key == "bus":
            bus = terminal(edit, edit.value, (1, 0))
        elif edit.key in {"reversible", "inversetime", "cogen"} and edit.flag:
            raise edit.refuse("this control cannot be converted", "drop it")
        elif edit.key in {"ldc_z", "vlimit"} and edit.number:
            raise edit.refuse("this control cannot be converted", "use r and x, or drop it")
    if (winding, tap_winding) != (2, 2):
        what = f"measures winding {winding} and moves taps of winding {tap_winding}"
        raise one.refuse(what, "give winding=2, with the regulated side as winding 2 of the transformer")
    if phase not in {1, 2, 3}:
        raise one.refuse("measures the extreme of several phases", "give ptphase as 1, 2 or 3")
    compensated = bool(values["r"] or values["x"])
    return RawRegulator(
        one,
        transformer,
        values["vreg"],
        values["band"],
        values["ptratio"],
        values["ctprim"] if compensated else 0.0,
        values["r"],
        values["x"],
        values["delay"],
        values["tapdelay"],
        phase,
        bus,
    )
