"""The fields of a network file: one table that the reader, the writer and the JSON schema share."""

from twin.grid.field_kinds import Field, Kind
from twin.grid.field_kinds import optional as _optional
from twin.grid.protection_fields import PROTECTION_SECTIONS

__all__ = ["HEADER", "SECTIONS", "Field", "Kind"]

_R1 = "positive-sequence resistance"
_X1 = "positive-sequence reactance at rated frequency"
_R0 = "zero-sequence resistance"
_X0 = "zero-sequence reactance at rated frequency"
_C1 = "positive-sequence capacitance"
_C0 = "zero-sequence capacitance"
_R = "resistance matrix over the conductors, earth return included, full or its lower triangle"
_X = "reactance matrix at rated frequency"
_C = "nodal capacitance matrix: zero or negative beside the diagonal"
_NAME = Field("name", "name", Kind.NAME, "its name")
_PER_KM = 1e-3

SECTIONS: dict[str, tuple[Field, ...]] = {
    "buses": (
        _NAME,
        Field(
            "u_rated_v", "u_rated", Kind.NUMBER, "rated voltage, line to line; with one phase: of it to earth"
        ),
        _optional("phases", "phases", Kind.TEXT, "conductors: some of abcn", "abc"),
        _optional("x", "x", Kind.NUMBER, "position to the east, any unit", None),
        _optional("y", "y", Kind.NUMBER, "position to the north, same unit", None),
    ),
    "sources": (
        _NAME,
        Field("bus", "bus", Kind.NAME, "bus that it feeds"),
        _optional("u_pu", "u_pu", Kind.NUMBER, "voltage behind the impedance, of the rated one", 1.0),
        _optional("angle_deg", "angle_deg", Kind.NUMBER, "angle of phase a", 0.0),
        _optional("ideal", "ideal", Kind.FLAG, "true: no impedance, the bus is held", False),
        _optional("r1_ohm", "r1", Kind.NUMBER, _R1, 0.0),
        _optional("x1_ohm", "x1", Kind.NUMBER, _X1, 0.0),
        _optional("r0_ohm", "r0", Kind.NUMBER, _R0, 0.0),
        _optional("x0_ohm", "x0", Kind.NUMBER, _X0, 0.0),
        _optional("star_point", "star_point", Kind.TEXT, "earthed or isolated", "earthed"),
        _optional("r_star_ohm", "r_star", Kind.NUMBER, "resistance between star point and earth", 0.0),
        _optional("x_star_ohm", "x_star", Kind.NUMBER, "reactance likewise, at rated frequency", 0.0),
    ),
    "line_types": (
        _NAME,
        _optional("r1_ohm_per_km", "r1", Kind.NUMBER, _R1, None, _PER_KM),
        _optional("x1_ohm_per_km", "x1", Kind.NUMBER, _X1, None, _PER_KM),
        _optional("r0_ohm_per_km", "r0", Kind.NUMBER, _R0, None, _PER_KM),
        _optional("x0_ohm_per_km", "x0", Kind.NUMBER, _X0, None, _PER_KM),
        _optional("c1_f_per_km", "c1", Kind.NUMBER, _C1, 0.0, _PER_KM),
        _optional("c0_f_per_km", "c0", Kind.NUMBER, _C0, 0.0, _PER_KM),
        _optional("r_ohm_per_km", "r", Kind.MATRIX, f"{_R}, instead of sequence values", None, _PER_KM),
        _optional("x_ohm_per_km", "x", Kind.MATRIX, _X, None, _PER_KM),
        _optional("c_f_per_km", "c", Kind.MATRIX, _C, None, _PER_KM),
    ),
    "lines": (
        _NAME,
        Field("from", "from_bus", Kind.NAME, "bus at one end"),
        Field("to", "to_bus", Kind.NAME, "bus at the other end"),
        _optional("type", "type", Kind.NAME, "one of line_types; then length_m is needed", ""),
        _optional("length_m", "length", Kind.NUMBER, "length, with a type", None),
        _optional("r1_ohm", "r1", Kind.NUMBER, f"{_R1}, total, without a type", None),
        _optional("x1_ohm", "x1", Kind.NUMBER, f"{_X1}, total", None),
        _optional("r0_ohm", "r0", Kind.NUMBER, f"{_R0}, total", None),
        _optional("x0_ohm", "x0", Kind.NUMBER, f"{_X0}, total", None),
        _optional("c1_f", "c1", Kind.NUMBER, f"{_C1}, total", 0.0),
        _optional("c0_f", "c0", Kind.NUMBER, f"{_C0}, total", 0.0),
        _optional("phases", "phases", Kind.TEXT, "its conductors: some of abcn", "abc"),
        _optional("r_ohm", "r", Kind.MATRIX, f"{_R}, total, instead of sequence values", None),
        _optional("x_ohm", "x", Kind.MATRIX, f"{_X}, total", None),
        _optional("c_f", "c", Kind.MATRIX, f"{_C}, total", None),
    ),
    "transformers": (
        _NAME,
        Field("hv", "hv_bus", Kind.NAME, "bus of the high-voltage side, end 'from' of the branch"),
        Field("lv", "lv_bus", Kind.NAME, "bus of the low-voltage side, end 'to' of the branch"),
        Field("s_rated_va", "s_rated", Kind.NUMBER, "rating of the three phases together"),
        Field(
            "u_hv_v",
            "u_hv",
            Kind.NUMBER,
            "rated voltage of the high-voltage side, line to line; Ii: of the winding",
        ),
        Field("u_lv_v", "u_lv", Kind.NUMBER, "rated voltage of the low-voltage side, likewise"),
        Field("vk_percent", "vk_percent", Kind.NUMBER, "short-circuit voltage"),
        Field("vkr_percent", "vkr_percent", Kind.NUMBER, "its resistive part"),
        Field(
            "vector_group", "vector_group", Kind.TEXT, "for example Dyn5, YNyn0, Yd11, Dzn0; Ii0: one unit"
        ),
        _optional("p_iron_w", "p_iron", Kind.NUMBER, "no-load losses", 0.0),
        _optional("i0_percent", "i0_percent", Kind.NUMBER, "no-load current, of the rated one", 0.0),
        _optional("hv_phases", "hv_phases", Kind.TEXT, "Ii: one phase (to neutral or earth) or two", "abc"),
        _optional("lv_phases", "lv_phases", Kind.TEXT, "Ii: likewise", "abc"),
        _optional("vk0_percent", "vk0_percent", Kind.NUMBER, "vk in the zero sequence; else as vk", None),
        _optional("vkr0_percent", "vkr0_percent", Kind.NUMBER, "its resistive part", None),
        _optional("r_star_hv_ohm", "r_star_hv", Kind.NUMBER, "resistance between star point and earth", 0.0),
        _optional("x_star_hv_ohm", "x_star_hv", Kind.NUMBER, "reactance likewise", 0.0),
        _optional("r_star_lv_ohm", "r_star_lv", Kind.NUMBER, "resistance likewise, low voltage", 0.0),
        _optional("x_star_lv_ohm", "x_star_lv", Kind.NUMBER, "reactance likewise", 0.0),
        _optional("tap_side", "tap_side", Kind.TEXT, "hv or lv", "hv"),
        _optional("tap", "tap", Kind.WHOLE, "position; 0 is the rated ratio", 0),
        _optional("tap_min", "tap_min", Kind.WHOLE, "lowest position", 0),
        _optional("tap_max", "tap_max", Kind.WHOLE, "highest position", 0),
        _optional("tap_step_percent", "tap_step_percent", Kind.NUMBER, "voltage from tap to tap", 0.0),
        _optional(
            "knee_percent", "knee_percent", Kind.NUMBER, "flux where the core saturates; or never", None
        ),
        _optional(
            "air_core_percent", "air_core_percent", Kind.NUMBER, "reactance beyond it, of the rating", None
        ),
        _optional(
            "remanence_percent",
            "remanence_percent",
            Kind.POWER,
            "flux that stays, leg by leg, or r: r 0 -r",
            (),
        ),
    ),
    "tap_changers": (
        _NAME,
        Field("transformer", "transformer", Kind.NAME, "transformer that it moves"),
        Field("u_set_v", "u_set", Kind.NUMBER, "voltage to hold, secondary"),
        Field("bandwidth_v", "bandwidth", Kind.NUMBER, "width of the band left alone, secondary"),
        Field("pt_ratio", "pt_ratio", Kind.NUMBER, "primary over secondary of its voltage transformer"),
        _optional("phase", "phase", Kind.TEXT, "phase to neutral or earth, or two phases", "a"),
        _optional("ct_primary_a", "ct_primary", Kind.NUMBER, "for line drop compensation; 0: none", 0.0),
        _optional("r_line_v", "r_line", Kind.NUMBER, "compensated drop in phase at ct_primary", 0.0),
        _optional("x_line_v", "x_line", Kind.NUMBER, "compensated drop in quadrature", 0.0),
        _optional("delay_s", "delay", Kind.NUMBER, "time outside the band before it moves", 15.0),
        _optional("tap_delay_s", "tap_delay", Kind.NUMBER, "time from step to step", 2.0),
        _optional("bus", "bus", Kind.NAME, "bus whose voltage it holds; else the low-voltage bus", ""),
        _optional(
            "undervoltage_percent",
            "undervoltage_percent",
            Kind.NUMBER,
            "of u_set; below this it does not move",
            80.0,
        ),
    ),
    "groundings": (
        _NAME,
        Field("bus", "bus", Kind.NAME, "bus that is earthed"),
        _optional("r_ohm", "r", Kind.NUMBER, "resistance to earth; with x 0: solidly", 0.0),
        _optional("x_ohm", "x", Kind.NUMBER, "reactance at rated frequency", 0.0),
        _optional("conductor", "conductor", Kind.TEXT, "n or a phase", "n"),
    ),
    "switches": (
        _NAME,
        Field("branch", "branch", Kind.NAME, "line or transformer that it takes out of service"),
        _optional("closed", "closed", Kind.FLAG, "state at the start", True),
    ),
    "capacitors": (
        _NAME,
        Field("bus", "bus", Kind.NAME, "bus that it is connected to"),
        Field("q_rated_var", "q_rated", Kind.NUMBER, "reactive power of all units at rated voltage"),
        _optional("closed", "closed", Kind.FLAG, "state of its switch at the start", True),
        _optional("phases", "phases", Kind.TEXT, "phases with a unit; delta: ab, bc, ca or abc", "abc"),
        _optional("connection", "connection", Kind.TEXT, "star (to earth), isolated_star or delta", "star"),
        _optional("u_rated_v", "u_rated", Kind.NUMBER, "rated voltage, line to line; else the bus's", None),
        _optional("reactor_percent", "reactor_percent", Kind.NUMBER, "series reactance, of X_C", 0.0),
        _optional("quality", "quality", Kind.NUMBER, "X/R of the reactor; 0: without losses", 0.0),
    ),
    "loads": (
        _NAME,
        Field("bus", "bus", Kind.NAME, "bus that it is connected to"),
        Field("phases", "phases", Kind.TEXT, "some of abc; of a delta ab, bc, ca or abc"),
        Field("p_w", "p", Kind.POWER, "rated active power by phase or side; negative: generation"),
        Field("q_var", "q", Kind.POWER, "rated reactive power likewise; negative: capacitive"),
        _optional("connection", "connection", Kind.TEXT, "star (to neutral or earth) or delta", "star"),
        _optional("z_percent", "z_percent", Kind.NUMBER, "share of constant impedance", 0.0),
        _optional("i_percent", "i_percent", Kind.NUMBER, "share of constant current", 0.0),
        _optional("spectrum", "spectrum", Kind.NAME, "one of spectra; none: linear", ""),
    ),
    "spectra": (
        _NAME,
        Field("orders", "orders", Kind.WHOLES, "harmonic orders above 1"),
        Field("percent", "percent", Kind.NUMBERS, "current at each order, of the fundamental current"),
        Field("angle_deg", "angle_deg", Kind.NUMBERS, "beyond order x angle of the fundamental current"),
    ),
    **PROTECTION_SECTIONS,
}
"""Fields of every section of a network file."""

HEADER = ("network", "description", "origin", "assumptions", "frequency_hz")
"""Keys of a network file beside its sections."""
