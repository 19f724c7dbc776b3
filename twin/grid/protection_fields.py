"""The fields of protective devices in a network file."""

from typing import Any

from twin.grid.field_kinds import Field, Kind, optional

_NAME = Field("name", "name", Kind.NAME, "its name")
_SWITCH = Field("switch", "switch", Kind.NAME, "switch that it trips; it measures that switch's branch")
_CURVES = "a name of [protection](protection.md#curves), or definite: the dial is its time in s"


def _number(key: str, attribute: str, meaning: str, default: float | None) -> Field:
    return optional(key, attribute, Kind.NUMBER, meaning, default)


def _text(key: str, attribute: str, meaning: str, default: str) -> Field:
    return optional(key, attribute, Kind.TEXT, meaning, default)


def _points(key: str, attribute: str, meaning: str, default: Any = ()) -> Field:
    return optional(key, attribute, Kind.NUMBERS, meaning, default)


_END = _text("end", "end", "end of the branch at which it measures: from or to", "from")

PROTECTION_SECTIONS: dict[str, tuple[Field, ...]] = {
    "relays": (
        _NAME,
        _SWITCH,
        _END,
        _number("pickup_a", "pickup", "of the phase time element, 51; else none", None),
        _text("curve", "curve", _CURVES, "iec_a"),
        _number("time_dial", "time_dial", "time multiplier setting, time dial", 1.0),
        _number("minimum_time_s", "minimum_time", "a floor under the curves", 0.0),
        _number("dropout_ratio", "dropout_ratio", "of the current elements, of their pickup", 0.95),
        _text("reset", "reset", "instantaneous, definite or inverse", "instantaneous"),
        _number("reset_time_s", "reset_time", "of the definite reset", 0.0),
        _number("instantaneous_a", "instantaneous", "pickup of the phase element 50; else none", None),
        _number("instantaneous_delay_s", "instantaneous_delay", "its delay", 0.0),
        _number("residual_pickup_a", "residual_pickup", "of 51N, on 3 I0; else none", None),
        _text("residual_curve", "residual_curve", "as curve", "iec_a"),
        _number("residual_time_dial", "residual_time_dial", "as time_dial", 1.0),
        _number("residual_instantaneous_a", "residual_instantaneous", "pickup of 50N; else none", None),
        _number("residual_instantaneous_delay_s", "residual_instantaneous_delay", "its delay", 0.0),
        _number("undervoltage_v", "undervoltage", "phase to earth, of 27; else none", None),
        _number("undervoltage_delay_s", "undervoltage_delay", "its delay", 0.0),
        _number("undervoltage_block_v", "undervoltage_block", "a line below it is dead: no trip", 0.0),
        _number("overvoltage_v", "overvoltage", "phase to earth, of 59; else none", None),
        _number("overvoltage_delay_s", "overvoltage_delay", "its delay", 0.0),
        _number("underfrequency_hz", "underfrequency", "of 81U; else none", None),
        _number("underfrequency_delay_s", "underfrequency_delay", "its delay", 0.0),
        _number("overfrequency_hz", "overfrequency", "of 81O; else none", None),
        _number("overfrequency_delay_s", "overfrequency_delay", "its delay", 0.0),
        _number("opening_time_s", "opening_time", "from the trip to the parting of the contacts", 0.05),
    ),
    "reclosers": (
        _NAME,
        _SWITCH,
        _END,
        _number("pickup_a", "pickup", "of the phase elements of all shots; else none", None),
        _text("fast_curve", "fast_curve", _CURVES, "ieee_very_inverse"),
        _number("fast_time_dial", "fast_time_dial", "of the fast shots", 0.1),
        _text("slow_curve", "slow_curve", "likewise", "ieee_very_inverse"),
        _number("slow_time_dial", "slow_time_dial", "of the slow shots", 1.0),
        _number("residual_pickup_a", "residual_pickup", "of the elements on 3 I0; else none", None),
        _text("residual_fast_curve", "residual_fast_curve", "as fast_curve", "ieee_very_inverse"),
        _number("residual_fast_time_dial", "residual_fast_time_dial", "as fast_time_dial", 0.1),
        _text("residual_slow_curve", "residual_slow_curve", "as slow_curve", "ieee_very_inverse"),
        _number("residual_slow_time_dial", "residual_slow_time_dial", "as slow_time_dial", 1.0),
        _number("instantaneous_a", "instantaneous", "pickup of 50 in all shots; else none", None),
        _number("minimum_time_s", "minimum_time", "a floor under the curves", 0.0),
        _number("dropout_ratio", "dropout_ratio", "of the current elements, of their pickup", 0.95),
        optional("fast_shots", "fast_shots", Kind.WHOLE, "trips on the fast curve", 2),
        optional("slow_shots", "slow_shots", Kind.WHOLE, "trips on the slow curve; the last locks out", 2),
        Field("dead_times_s", "dead_times", Kind.NUMBERS, "open times between the shots"),
        _number("reset_time_s", "reset_time", "closed so long without a pickup it starts afresh", 30.0),
        _number("opening_time_s", "opening_time", "from the trip to the parting of the contacts", 0.0),
    ),
    "fuses": (
        _NAME,
        Field("branch", "branch", Kind.NAME, "line or transformer that it protects"),
        _text("end", "end", "end of the branch at which it sits: from (of a transformer: hv) or to", "from"),
        _text("type", "kind", "K, T or gG; with rating_a; else own points", ""),
        _number("rating_a", "rating", "rated current of a K, T or gG link", None),
        _number("tolerance", "tolerance", "0: melts by the minimum curve, 1: by the maximum", 0.0),
        _points("melting_a", "melting_current", "own melting curve: rising currents"),
        _points("melting_s", "melting_time", "its falling times"),
        _points("clearing_a", "clearing_current", "own total clearing curve: rising currents"),
        _points("clearing_s", "clearing_time", "its falling times"),
        _number("arcing_time_s", "arcing_time", "instead of clearing; else 0.01 with type, 0 without", None),
        _number("cooling_time_s", "cooling_time", "time constant of cooling, with own points", 60.0),
    ),
    "sectionalisers": (
        _NAME,
        _SWITCH,
        _END,
        Field("actuating_a", "actuating", Kind.NUMBER, "phase current that arms it"),
        Field("counts", "counts", Kind.WHOLE, "interruptions until it opens"),
        _number("residual_actuating_a", "residual_actuating", "3 I0 that arms it; else none", None),
        _number("memory_s", "memory", "from the last count to forgetting all", 60.0),
        _number("opening_delay_s", "opening_delay", "from the last count to opening", 0.0),
        _number("dead_current_a", "dead_current", "below it the line can be dead", 0.5),
    ),
}
"""Fields of the sections of protective devices."""
