"""Which of a file's channels are the voltages and currents: by rules, or as the user says."""

import re

import pytest

from twin.contracts import BadInputError
from twin.recording.channel_assignment import assign_channels, unit_scale
from twin.recording.comtrade import AnalogChannel

NAMES = ("va", "vb", "vc", "ia", "ib", "ic")


def channels(*described):
    """Channels from ``name [unit] phase``."""
    parts = [re.fullmatch(r"(.*) \[(.*)\] ?(.*)", text).groups() for text in described]
    return [
        AnalogChannel(number=k, name=name, unit=unit, phase=phase)
        for k, (name, unit, phase) in enumerate(parts, 1)
    ]


RULES = {
    "letters": ("Va [V]", "Vb [V]", "Vc [V]", "Ia [A]", "Ib [A]", "Ic [A]", "Vn [V]", "In [A]"),
    "blanks and signs": ("V A-N [kV]", "U_B [KV]", "VCN [kv]", "I A [A]", "I.b (A) [A]", "IC-N [A]"),
    "L1": ("UL1 [V]", "U L2 [V]", "U-L3 [V]", "IL1 [A]", "IL2 [A]", "IL3 [A]", "U12 [V]"),
    "RST": ("UR [V]", "US [V]", "UT [V]", "IR [A]", "IS [A]", "IT [A]"),
    "numbers": ("V1 [V]", "V2 [V]", "V3 [V]", "I1 [A]", "I2 [A]", "I3 [A]", "Vo [V]"),
    "by phase": ("Bus 1 [V] A", "Bus 1 [V] B", "Bus 1 [V] C", "F2 [A] L1", "F2 [A] l2", "F2 [A] L3"),
    "names before phases": ("Va [V] C", "Vb [V] C", "Vc [V] C", "Ia [A] 1", "Ib [A] 1", "Ic [A] 1"),
    "letters before numbers": (
        "Va [V]", "Vb [V]", "Vc [V]", "Ia [A]", "Ib [A]", "Ic [A]", "V1 [V]", "V2 [V]", "V3 [V]", "VS [V]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("described", RULES.values(), ids=RULES)
def test_rules_of_assignment(described):
    assert assign_channels(channels(*described), None, "f") == dict(zip(NAMES, range(6), strict=True))


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (("Ia [A]", "Vb [V]"), {"vb": 1, "ia": 0}),
        (("Va [V]", "V1 [V]", "VS [V]", "I0 [A]", "I1 [A]", "Iabc [A]"), {"va": 0}),
        (("Va [V]", "Va angle [deg]", "VA [deg]"), {"va": 0}),
    ],
)
def test_what_is_not_there_is_not_assigned(described, expected):
    assert assign_channels(channels(*described), None, "f") == expected


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (
            ("Uab [V]", "U21 [V]", "Ia [A]"),
            "no voltage channel is recognised among Uab [V], U21 [V], Ia [A]; say",
        ),
        (("V1 [V]", "I1 [A]"), "for example va=V1"),
        ((), "among no analog channels"),
        (("Va [V]", "VA [V]"), "Va and VA may each be va"),
        (("Va [V]", "Vb []", "Vc [V]"), "Vb: wrong unit: vb is in ''"),
        (("Va [MA]",), "wrong unit: va is in 'MA'"),
    ],
)
def test_what_cannot_be_assigned(described, message):
    with pytest.raises(BadInputError) as raised:
        assign_channels(channels(*described), None, "f")
    assert message in str(raised.value)


def test_assignment_by_the_user():
    found = channels("U21 [V]", "I1 [A]", "x [A]", "x [A]", "f [Hz]")
    assert assign_channels(found, {"ia": "i1", "va": "U21", "ib": "#4"}, "f") == {"va": 0, "ia": 1, "ib": 3}
    bad = {"va": "U12", "vb": "f", "ia": "x", "vx": "U21"}
    with pytest.raises(BadInputError) as raised:
        assign_channels(found, bad, "f")
    assert [finding.what for finding in raised.value.findings] == [
        "there is no channel 'U12'",
        "wrong unit: 'f' is in 'Hz'",
        "2 channels are called 'x'",
        "is an unknown channel",
    ]
    with pytest.raises(BadInputError, match="no voltage channel"):
        assign_channels(found, {"ia": "I1"}, "f")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("V", ("V", 1.0)),
        (" kV ", ("V", 1e3)),
        ("[KA]", ("A", 1e3)),
        ("mA", ("A", 1e-3)),
        ("MA", None),
        ("", None),
    ],
)
def test_units(unit, expected):
    assert unit_scale(unit) == expected
