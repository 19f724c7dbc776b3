"""Every quantity of a steady three-phase signal from its phasors, in SI of the primary side.

References
----------
IEEE Std 1459-2010 3.2.2 (powers of non-sinusoidal conditions), IEC 61000-4-30 5.7 (unbalance, sequence
components), ITU-T O.41 table 1 (psophometric weights), IEEE C57.110 (K factor).
"""

import math

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]

FREQUENCY = 50.0
_ORDER = np.arange(64)
_SAMPLES = 64
# ITU-T O.41 lists 50, 100, 2000, 3000 and 3500 Hz; 250 Hz lies midway between 200 and 300 Hz in dB, 3150 Hz
# three tenths of the way from 3000 to 3500 Hz.
_WEIGHT_DB = {1: -63.0, 2: -41.0, 5: -15.8, 40: -3.0, 63: -5.6 - 0.3 * 2.9}
_TURN = np.exp(2j * np.pi / 3)
_INPUTS = ("v1", "v2", "v3", "i1", "i2", "i3")


def truth(phasors: Complex) -> dict[str, float]:
    """Return what a meter should show, by name.

    Parameters
    ----------
    phasors : c128[6, orders]
        RMS, rows va vb vc ia ib ic, column h of order h [V and A].

    Returns
    -------
    dict
        V, A, W, var, VA, Hz, degrees; fractions for percentages.
    """
    shown = {"frequency": FREQUENCY}
    rms = np.sqrt((np.abs(phasors) ** 2).sum(axis=1))
    shown |= dict(zip(_INPUTS, rms.tolist(), strict=True))
    for one, other in ((0, 1), (1, 2), (2, 0)):
        between = phasors[one] - phasors[other]
        shown[f"v{one + 1}{other + 1}"] = math.sqrt((np.abs(between) ** 2).sum())
    shown["v_avg"], shown["i_avg"] = float(rms[:3].mean()), float(rms[3:].mean())
    shown["vll_avg"] = (shown["v12"] + shown["v23"] + shown["v31"]) / 3
    shown["i_n"] = math.sqrt((np.abs(phasors[3:].sum(axis=0)) ** 2).sum())
    return shown | _powers(phasors, rms) | _wave_shapes(phasors, rms) | _sequences(phasors)


def _powers(phasors: Complex, rms: Float) -> dict[str, float]:
    """Return powers and power factors; reactive power is the sum of that of all orders (Budeanu)."""
    shown = {}
    powers = (phasors[:3] * phasors[3:].conj()).sum(axis=1)
    for k in range(3):
        apparent = float(rms[k] * rms[3 + k])
        shown |= {f"p{k + 1}": powers[k].real, f"q{k + 1}": powers[k].imag, f"s{k + 1}": apparent}
        shown[f"pf{k + 1}"] = powers[k].real / apparent
    for letter in "pqs":
        shown[f"{letter}_sum"] = sum(shown[f"{letter}{k}"] for k in (1, 2, 3))
    shown["pf"] = shown["p_sum"] / shown["s_sum"]
    shown["load_type"] = float(ord("L" if shown["p_sum"] * shown["q_sum"] > 0 else "C"))
    return {name: float(value) for name, value in shown.items()}


def _wave_shapes(phasors: Complex, rms: Float) -> dict[str, float]:
    """Return harmonics and what is made of them, as fractions of the fundamental."""
    shown: dict[str, float] = {}
    for row, name in enumerate(_INPUTS):
        part = np.abs(phasors[row]) / abs(phasors[row, 1])
        shown |= {f"{name}_h{order}": float(part[order]) for order in range(2, 64)}
        shown[f"thd_{name}"] = math.sqrt((part[2:] ** 2).sum())
        shown[f"{name}_odd"] = math.sqrt((part[3::2] ** 2).sum())
        shown[f"{name}_even"] = math.sqrt((part[2::2] ** 2).sum())
        if name[0] == "v":
            angle = 2 * np.pi * np.arange(_SAMPLES) / _SAMPLES
            wave = math.sqrt(2) * (np.exp(1j * np.outer(angle, _ORDER)) * phasors[row]).sum(axis=1).real
            shown[f"{name}_crest"] = float(np.abs(wave).max() / rms[row])
            weighted = [
                abs(phasors[row, h]) * h * FREQUENCY / 800 * 10 ** (db / 20) for h, db in _WEIGHT_DB.items()
            ]
            shown[f"{name}_thff"] = math.hypot(*weighted) / float(rms[row])
        else:
            squares = (_ORDER * np.abs(phasors[row])) ** 2
            shown[f"{name}_k_factor"] = float(squares.sum() / rms[row] ** 2)
    for letter in "vi":
        shown[f"thd_{letter}_avg"] = sum(shown[f"thd_{letter}{k}"] for k in (1, 2, 3)) / 3
    return shown


def _sequences(phasors: Complex) -> dict[str, float]:
    """Return sequence components relative to the voltage of phase a, unbalance and angles."""
    shown = {}
    reference = phasors[0, 1] / abs(phasors[0, 1])
    for letter, rows in (("v", phasors[:3, 1]), ("i", phasors[3:, 1])):
        components = {
            "positive": (rows[0] + _TURN * rows[1] + _TURN**2 * rows[2]) / 3,
            "negative": (rows[0] + _TURN**2 * rows[1] + _TURN * rows[2]) / 3,
            "zero": rows.sum() / 3,
        }
        shown[f"{letter}_unbalance"] = abs(components["negative"] / components["positive"])
        prefix = "ua" if letter == "v" else "ia"
        for name, component in components.items():
            turned = component / reference
            shown[f"{prefix}_{name}_real"], shown[f"{prefix}_{name}_imag"] = turned.real, turned.imag
    for row, name in list(enumerate(_INPUTS))[1:]:
        shown[f"angle_{name}_v1"] = math.degrees(np.angle(phasors[row, 1] / reference)) % 360
    return {name: float(value) for name, value in shown.items()}
