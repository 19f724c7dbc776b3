"""Disturbances: every category of IEEE Std 1159 as a change of a signal, from physical parameters.

Each function takes a gapless signal and returns a gapless signal; they can be applied one after the other.
"""

from twin.signals.disturbances.categories import category, impulse_category, oscillation_category
from twin.signals.disturbances.distortion import (
    add_dc,
    add_harmonics,
    add_interharmonics,
    converter_frequencies,
    rectifier_current,
)
from twin.signals.disturbances.editing import DisturbanceError, point_on_wave
from twin.signals.disturbances.fluctuations import fluctuate, ramp, step_repeatedly, vary_frequency
from twin.signals.disturbances.noise import add_noise
from twin.signals.disturbances.notching import Notch, commutation_notch, notch_shares
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
    "Notch",
    "add_dc",
    "add_harmonics",
    "add_interharmonics",
    "add_noise",
    "back_to_back_inrush",
    "category",
    "commutation_notch",
    "converter_frequencies",
    "divider",
    "energise_capacitor",
    "fluctuate",
    "impulse",
    "impulse_category",
    "impulse_rates",
    "natural_poles",
    "notch_shares",
    "oscillation",
    "oscillation_category",
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
