"""Disturbances: every category of IEEE Std 1159 as a change of a signal, from physical parameters.

Each function takes a gapless signal and returns a gapless signal; they can be applied one after the other.
"""

from twin.signals.disturbances.categories import category
from twin.signals.disturbances.distortion import (
    add_dc,
    add_harmonics,
    add_interharmonics,
    add_noise,
    converter_frequencies,
    notch_shares,
    rectifier_current,
)
from twin.signals.disturbances.editing import DisturbanceError, point_on_wave
from twin.signals.disturbances.fluctuations import fluctuate, ramp, step_repeatedly, vary_frequency
from twin.signals.disturbances.transients import (
    back_to_back_inrush,
    energise_capacitor,
    impulse,
    impulse_rates,
    natural_poles,
    oscillation,
)
from twin.signals.disturbances.variations import divider, sag, sag_factors, unbalanced, vary

__all__ = [
    "DisturbanceError",
    "add_dc",
    "add_harmonics",
    "add_interharmonics",
    "add_noise",
    "back_to_back_inrush",
    "category",
    "converter_frequencies",
    "divider",
    "energise_capacitor",
    "fluctuate",
    "impulse",
    "impulse_rates",
    "natural_poles",
    "notch_shares",
    "oscillation",
    "point_on_wave",
    "ramp",
    "rectifier_current",
    "sag",
    "sag_factors",
    "step_repeatedly",
    "unbalanced",
    "vary",
    "vary_frequency",
]
