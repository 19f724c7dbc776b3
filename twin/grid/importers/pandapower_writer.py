"""From our network to pandapower, as far as pandapower's unbalanced load flow can hold it."""

import json
from importlib import import_module
from typing import Any

from twin.grid.components import PHASES, Line, Load
from twin.grid.errors import GridError, MissingExtraError
from twin.grid.network import Network
from twin.grid.transformers import Transformer, parse_vector_group


def to_pandapower(network: Network) -> Any:
    """Return a pandapower network.

    Parameters
    ----------
    network : Network
        Three phases at every bus, no neutral conductors, lines with sequence values, loads of constant power.

    Returns
    -------
    pandapower.pandapowerNet
        With zero-sequence data; names, ratings and states are kept.

    Raises
    ------
    MissingExtraError
        pandapower is not installed.
    GridError
        The network holds what pandapower cannot; the element is named.
    """
    try:
        pandapower: Any = import_module("pandapower")
    except ImportError as error:
        what = f"pandapower cannot be imported ({error}); install it: pip install 'site-twin[simbench]'"
        raise MissingExtraError(what) from error
    _refuse(network)
    net = pandapower.create_empty_network(name=network.name, f_hz=network.frequency, sn_mva=1.0)
    for bus in network.buses:
        geo = None if bus.x is None or bus.y is None else (bus.x, bus.y)
        pandapower.create_bus(net, bus.u_rated / 1e3, name=bus.name, geodata=geo)
    at = network.bus_index
    for source in network.sources:
        _add_source(pandapower, net, network, source, at[source.bus])
    for line in network.lines:
        _add_line(pandapower, net, line, at)
    for unit in network.transformers:
        _add_transformer(pandapower, net, unit, at)
    for load in network.loads:
        _add_load(pandapower, net, load, at[load.bus])
    for bank in network.capacitors:
        pandapower.create_shunt(
            net, at[bank.bus], q_mvar=-bank.q_rated / 1e6, name=bank.name, in_service=bank.closed
        )
    lines = {line.name: number for number, line in enumerate(network.lines)}
    units = {unit.name: number for number, unit in enumerate(network.transformers)}
    for switch in network.switches:
        kind, element = ("l", lines[switch.branch]) if switch.branch in lines else ("t", units[switch.branch])
        branch = network.branches[network.branch_index[switch.branch]]
        pandapower.create_switch(
            net, at[branch.from_bus], element, et=kind, closed=switch.closed, name=switch.name
        )
    return net


def _refuse(network: Network) -> None:
    for bus in network.buses:
        if bus.phases != PHASES:
            raise GridError(f"bus '{bus.name}' has conductors '{bus.phases}'; pandapower knows abc alone")
    for line in network.lines:
        if line.phases != PHASES or line.r is not None:
            raise GridError(f"line '{line.name}' is not given by sequence values of three phases")
    for unit in network.transformers:
        if unit.vector_group not in {"Dyn1", "Dyn5", "Dyn7", "Dyn11", "YNyn0"}:
            what = f"transformer '{unit.name}' is {unit.vector_group}"
            raise GridError(f"{what}, which pandapower's unbalanced load flow does not know")
    for load in network.loads:
        if load.z_percent or load.i_percent or load.connection == "delta":
            raise GridError(f"load '{load.name}' is no constant power between phase and earth")
    for bank in network.capacitors:
        if bank.connection != "star" or bank.phases != PHASES or bank.reactor_percent:
            raise GridError(f"capacitor '{bank.name}' is no plain bank of three phases to earth")
    names = [one.name for one in network.groundings] + [one.name for one in network.tap_changers]
    if names:
        raise GridError(f"'{names[0]}': pandapower has neither groundings nor tap changers of this kind")


def _add_source(pandapower: Any, net: Any, network: Network, source: Any, bus: int) -> None:
    if source.star_point != "earthed" or source.r_star or source.x_star:
        raise GridError(f"source '{source.name}' is not solidly earthed, which pandapower cannot hold")
    more: dict[str, float] = {}
    if not source.ideal:
        rated = network.buses[bus].u_rated
        z1 = abs(complex(source.r1, source.x1))
        # pandapower's short-circuit power holds the factor c = 1.1 of IEC 60909-0.
        more = {
            "s_sc_max_mva": 1.1 * rated**2 / z1 / 1e6,
            "rx_max": source.r1 / source.x1,
            "x0x_max": source.x0 / source.x1,
            "r0x0_max": source.r0 / source.x0,
        }
    pandapower.create_ext_grid(
        net, bus, vm_pu=source.u_pu, va_degree=source.angle_deg, name=source.name, **more
    )


def _add_line(pandapower: Any, net: Any, line: Line, at: dict[str, int]) -> None:
    length = (line.length or 1e3) / 1e3
    pandapower.create_line_from_parameters(
        net,
        at[line.from_bus],
        at[line.to_bus],
        length_km=length,
        r_ohm_per_km=(line.r1 or 0.0) / length,
        x_ohm_per_km=(line.x1 or 0.0) / length,
        c_nf_per_km=line.c1 * 1e9 / length,
        r0_ohm_per_km=(line.r0 or 0.0) / length,
        x0_ohm_per_km=(line.x0 or 0.0) / length,
        c0_nf_per_km=line.c0 * 1e9 / length,
        max_i_ka=1.0,
        name=line.name,
    )


def _add_transformer(pandapower: Any, net: Any, unit: Transformer, at: dict[str, int]) -> None:
    high, low, clock = parse_vector_group(unit.vector_group)
    pandapower.create_transformer_from_parameters(
        net,
        at[unit.hv_bus],
        at[unit.lv_bus],
        sn_mva=unit.s_rated / 1e6,
        vn_hv_kv=unit.voltage_at_tap("hv") / 1e3,
        vn_lv_kv=unit.voltage_at_tap("lv") / 1e3,
        vkr_percent=unit.vkr_percent,
        vk_percent=unit.vk_percent,
        pfe_kw=unit.p_iron / 1e3,
        i0_percent=unit.i0_percent,
        shift_degree=30.0 * clock,
        vector_group=f"{high}{low}",
        vk0_percent=unit.vk0_percent if unit.vk0_percent is not None else unit.vk_percent,
        vkr0_percent=unit.vkr0_percent if unit.vk0_percent is not None else unit.vkr_percent,
        # This much makes the transformer's zero sequence its short-circuit impedance alone.
        mag0_percent=1e10,
        mag0_rx=0.0,
        si0_hv_partial=0.9,
        name=unit.name,
    )


def _add_load(pandapower: Any, net: Any, load: Load, bus: int) -> None:
    p = dict.fromkeys(PHASES, 0.0) | dict(zip(load.phases, load.p, strict=True))
    q = dict.fromkeys(PHASES, 0.0) | dict(zip(load.phases, load.q, strict=True))
    values = {f"p_{phase}_mw": p[phase] / 1e6 for phase in PHASES}
    values |= {f"q_{phase}_mvar": q[phase] / 1e6 for phase in PHASES}
    pandapower.create_asymmetric_load(net, bus, name=load.name, **values)


def pandapower_text(network: Network) -> str:
    """Return a network as pandapower's JSON."""
    net = to_pandapower(network)
    text: str = import_module("pandapower").to_json(net)
    json.loads(text)
    return text
