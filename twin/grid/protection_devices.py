"""Protective devices as a network file names them: where they sit, what they trip, how they are set.

All values are primary. `twin.grid.protection` holds what the settings mean; `twin.grid.protection_settings`
makes the one from the other.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InstalledRelay:
    """A relay at a circuit breaker: overcurrent, voltage and frequency elements, any of them."""

    name: str
    switch: str
    """Switch that it trips; it measures that switch's branch."""
    end: str = "from"
    """End of the branch at which its transformers sit."""
    pickup: float | None = None
    """Of the phase time element (51) [A]; None: no such element."""
    curve: str = "iec_a"
    time_dial: float = 1.0
    """Time multiplier; of the curve ``definite`` the time itself [s]."""
    minimum_time: float = 0.0
    """[s]."""
    dropout_ratio: float = 0.95
    """Of the current elements, of their pickup."""
    reset: str = "instantaneous"
    reset_time: float = 0.0
    """[s]."""
    instantaneous: float | None = None
    """Pickup of the phase instantaneous element (50) [A]."""
    instantaneous_delay: float = 0.0
    """[s]."""
    residual_pickup: float | None = None
    """Of the residual time element (51N) [A]."""
    residual_curve: str = "iec_a"
    residual_time_dial: float = 1.0
    residual_instantaneous: float | None = None
    """Pickup of the residual instantaneous element (50N) [A]."""
    residual_instantaneous_delay: float = 0.0
    """[s]."""
    undervoltage: float | None = None
    """Phase to earth [V]."""
    undervoltage_delay: float = 0.0
    """[s]."""
    undervoltage_block: float = 0.0
    """[V]."""
    overvoltage: float | None = None
    """Phase to earth [V]."""
    overvoltage_delay: float = 0.0
    """[s]."""
    underfrequency: float | None = None
    """[Hz]."""
    underfrequency_delay: float = 0.0
    """[s]."""
    overfrequency: float | None = None
    """[Hz]."""
    overfrequency_delay: float = 0.0
    """[s]."""
    opening_time: float = 0.05
    """From the trip to the parting of the breaker's contacts [s]."""


@dataclass(frozen=True, slots=True)
class InstalledRecloser:
    """A recloser, or a reclosing relay with its breaker (79)."""

    name: str
    switch: str
    pickup: float | None = None
    """Of the phase elements of all shots [A]."""
    end: str = "from"
    fast_curve: str = "ieee_very_inverse"
    fast_time_dial: float = 0.1
    slow_curve: str = "ieee_very_inverse"
    slow_time_dial: float = 1.0
    residual_pickup: float | None = None
    """Of the residual elements of all shots [A]."""
    residual_fast_curve: str = "ieee_very_inverse"
    residual_fast_time_dial: float = 0.1
    residual_slow_curve: str = "ieee_very_inverse"
    residual_slow_time_dial: float = 1.0
    instantaneous: float | None = None
    """Pickup of an instantaneous phase element in all shots [A]."""
    minimum_time: float = 0.0
    """[s]."""
    dropout_ratio: float = 0.95
    fast_shots: int = 2
    slow_shots: int = 2
    dead_times: tuple[float, ...] = (0.5, 2.0, 5.0)
    """Open times between the shots [s]."""
    reset_time: float = 30.0
    """[s]."""
    opening_time: float = 0.0
    """From the trip to the parting of the contacts; makers' curves include it [s]."""


@dataclass(frozen=True, slots=True)
class InstalledFuse:
    """The fuse links of a branch, one in each phase."""

    name: str
    branch: str
    end: str = "from"
    kind: str = ""
    """K, T or gG; empty: own points."""
    rating: float | None = None
    """[A]."""
    tolerance: float = 0.0
    """Where between minimum and maximum melting curve these links are."""
    melting_current: tuple[float, ...] = ()
    """Own melting curve: rising currents [A]."""
    melting_time: tuple[float, ...] = ()
    """Falling times [s]."""
    clearing_current: tuple[float, ...] = ()
    """Own total clearing curve [A]."""
    clearing_time: tuple[float, ...] = ()
    """[s]."""
    arcing_time: float | None = None
    """Instead of a clearing curve; None: of standard links 10 ms, of own points 0 [s]."""
    cooling_time: float = 60.0
    """Time constant of cooling, with own points [s]."""


@dataclass(frozen=True, slots=True)
class InstalledSectionaliser:
    """A switch that opens in the dead time of a recloser upstream."""

    name: str
    switch: str
    actuating: float
    """Phase current that arms it [A]."""
    counts: int
    end: str = "from"
    residual_actuating: float | None = None
    """[A]."""
    memory: float = 60.0
    """[s]."""
    opening_delay: float = 0.0
    """From the last count to opening [s]."""
    dead_current: float = 0.5
    """Below it the line can be dead [A]."""


Installed = InstalledRelay | InstalledRecloser | InstalledFuse | InstalledSectionaliser
