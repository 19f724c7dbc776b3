"""What a write does to the measuring part of a meter."""

from collections.abc import Callable, Mapping
from typing import Final

from twin.contracts import Record
from twin.meters.bank import MeterBank
from twin.meters.kw320.meter import Effect

_CLEARED: Final[Mapping[str, Callable[[MeterBank, int], None]]] = {
    "clear_demand": MeterBank.clear_demand,
    "clear_total_demand": MeterBank.clear_demand,
    "clear_max_min": MeterBank.clear_extremes,
    "clear_energy": MeterBank.clear_energy,
    "clear_waveforms": MeterBank.clear_captures,
    "clear_pq_events": MeterBank.clear_events,
}


def apply_effect(bank: MeterBank, meter: int, effect: Effect, now_ns: int) -> list[Record]:
    """Carry out what a write asks of the measuring part; return what ends by it.

    Parameters
    ----------
    bank : MeterBank
    meter : int
        Which of its meters.
    effect : Effect
    now_ns : int
        Where the bank is, UTC [ns].
    """
    ended = [] if effect.settings is None else bank.configure(meter, effect.settings, now_ns)
    for name, value in (effect.presets_wh or {}).items():
        bank.preset_energy(meter, name, value)
    for action in effect.actions:
        if action == "manual_waveform_trigger":
            bank.trigger_capture(meter, now_ns)
        elif action in _CLEARED:
            _CLEARED[action](bank, meter)
    return ended
