"""Inputs in status mode to which pulses are wired: each pulse is a change of status that has to be seen.

Pulses that are counted need no looking at: they are counted in closed form.
"""

from collections.abc import Sequence

from twin.meters.kw320.io_state import is_counter
from twin.meters.kw320.meter import Kw320Meter
from twin.meters.pulses import NEVER


class PulseWatch:
    """When to look at such inputs; the manual has no debouncing, so every change counts.

    Parameters
    ----------
    meters : sequence of Kw320Meter
    """

    def __init__(self, meters: Sequence[Kw320Meter]) -> None:
        self._meters = meters
        self._looks: dict[tuple[int, int], int] = {}
        self.next_ns = NEVER
        """When to look next, UTC [ns]."""

    @property
    def meters(self) -> list[int]:
        """Meters that have such inputs, in order."""
        return sorted({meter for meter, _ in self._looks})

    def expect(self, meter: int, now_ns: int) -> None:
        """Find out anew when to look at the inputs of a meter; what it finds when it begins is no change."""
        of = self._meters[meter]
        for number, source in of.io.sources.items():
            watched = of.powered and not is_counter(of.raw, number)
            known = (meter, number) in self._looks
            if watched:
                if not known:
                    of.io.levels[number - 1] = source.level(now_ns)
                self._looks[meter, number] = source.next_look_ns(now_ns)
            elif known:
                del self._looks[meter, number]
                of.io.levels[number - 1] = False
        self.next_ns = min(self._looks.values(), default=NEVER)

    def due(self, now_ns: int) -> list[tuple[int, int, bool]]:
        """Return the inputs to look at now: meter, number, and whether a pulse lasts."""
        return [
            (meter, number, self._meters[meter].io.sources[number].level(now_ns))
            for (meter, number), at in sorted(self._looks.items())
            if at <= now_ns
        ]
