"""Every format code by numbers worked by hand, and the rules of rounding, clamping and rolling over."""

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.contracts import Access
from twin.meters.codec import BlockCodec, CodecError, Scaling
from twin.meters.register_map import Register

DIRECT = Scaling()
INSTALLED = Scaling(pt_ratio=200.0, ct_ratio=40.0)
"""20000:100 V and 200:5 A."""
_WORDS = {"word": 1, "int": 1, "dword": 2, "float": 2}


def register(dtype, code, unit="", allowed=None):
    limits = {"word": (0, 65535), "int": (-32768, 32767), "dword": (0, 999_999_999), "float": (0, 2**32 - 1)}
    return Register(
        address=0,
        words=_WORDS[dtype],
        name=f"{dtype}_{code}",
        dtype=dtype,
        code=code,
        unit=unit,
        access=Access.READ,
        allowed=allowed or (limits[dtype],),
        default=0,
        region="test",
        source="basic",
    )


def encode(value, dtype, code, unit="", scaling=DIRECT, allowed=None):
    words = BlockCodec([register(dtype, code, unit, allowed)]).encode(np.array([value]), scaling)
    return words.tolist()


def decode(words, dtype, code, unit="", scaling=DIRECT, allowed=None):
    codec = BlockCodec([register(dtype, code, unit, allowed)])
    return codec.decode(np.array(words, np.uint16), scaling)[0]


# Quantity in SI, data type, code, unit, raw value: KW320 manual 6.3, relationship table, by hand.
BY_HAND = [
    (17.0, "word", "F1", "", 17),
    (2006.0, "word", "F3", "", 2006),
    (50.03, "word", "F10", "Hz", 5003),
    (230.4, "int", "F11", "V", 2304),
    (-230.4, "int", "F11", "V", 65536 - 2304),
    (4.567, "int", "F12", "A", 4567),
    (1100.0, "int", "F13", "W", 1100),
    (-1100.0, "int", "F13", "W", 65536 - 1100),
    (-371.0, "int", "F14", "var", 65536 - 371),
    (4508.0, "int", "F15", "VA", 4508),
    (-0.745, "int", "F16", "", 65536 - 745),
    (0.499, "int", "F17", "%", 499),
    (0.3989, "word", "F18", "%", 3989),
    (0.0512, "word", "F19", "%", 512),
    (0.0731, "word", "F20", "%", 731),
    (0.0104, "word", "F21", "%", 104),
    (1.414, "word", "F22", "", 1414),
    (9.2, "word", "F23", "", 92),
    (0.0215, "word", "F24", "%", 215),
    (240.1, "word", "F25", "deg", 2401),
]


@pytest.mark.parametrize(("value", "dtype", "code", "unit", "raw"), BY_HAND)
def test_format_by_hand(value, dtype, code, unit, raw):
    assert encode(value, dtype, code, unit) == [raw]
    assert decode([raw], dtype, code, unit) == pytest.approx(value, rel=1e-12)


# 12345.67 h = 1234567 = 0012D687H; 17807783.3 kWh = 178077833 = 0A9D4089H (manual 6.2, worked frame);
# the other energies share the number so that only the code tells them apart.
@pytest.mark.parametrize(
    ("value", "code", "unit", "words"),
    [
        (12345.67 * 3600, "F2", "h", [0x0012, 0xD687]),
        (17_807_783_300.0, "F4/F7", "kWh", [0x0A9D, 0x4089]),
        (17_807_783_300.0, "F5/F8", "kvarh", [0x0A9D, 0x4089]),
        (17_807_783_300.0, "F6/F9", "kVAh", [0x0A9D, 0x4089]),
    ],
)
def test_wide_format_by_hand(value, code, unit, words):
    assert encode(value, "dword", code, unit) == words
    assert decode(words, "dword", code, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("code", "unit"), [("F4/F7", "kWh"), ("F5/F8", "kvarh"), ("F6/F9", "kVAh")])
def test_secondary_energy_counts_watt_hours_behind_the_transformers(code, unit):
    scaling = Scaling(pt_ratio=200.0, ct_ratio=40.0, energy_secondary=True)
    # 8 MWh primary through 200 x 40 are 1 kWh secondary: 1000 counts of 0.001 kWh.
    assert encode(8_000_000.0, "dword", code, unit, scaling) == [0, 1000]
    assert decode([0, 1000], "dword", code, unit, scaling) == pytest.approx(8_000_000.0, rel=1e-12)


@pytest.mark.parametrize(
    ("value", "unit", "primary"),
    [(57.5, "V", 11500.0), (4.5, "A", 180.0), (1000.0, "W", 8e6), (50.0, "Hz", 50.0), (0.9, "", 0.9)],
)
def test_float_shows_the_secondary_or_the_primary(value, unit, primary):
    shown = Scaling(pt_ratio=200.0, ct_ratio=40.0, float_primary=True)
    assert encode(value, "float", "F1", unit, INSTALLED) == list(
        struct.unpack(">2H", struct.pack(">f", value))
    )
    assert encode(value, "float", "F1", unit, shown) == list(struct.unpack(">2H", struct.pack(">f", primary)))
    assert decode(encode(value, "float", "F1", unit, shown), "float", "F1", unit, shown) == pytest.approx(
        value, rel=1e-6
    )


def test_unbalance_as_float_is_a_fraction():
    # KW320 manual 6.3.7: Unbalance = Rx x 100 %.
    assert encode(0.021, "float", "F1", "%") == list(struct.unpack(">2H", struct.pack(">f", 0.021)))


def test_worked_answer_of_the_manual():
    # Manual 6.2: frequency, V1, V2 of 50.00 Hz, 99.9 V, 100.1 V.
    rows = [register("float", "F1", unit) for unit in ("Hz", "V", "V")]
    words = BlockCodec(rows).encode(np.array([50.0, 99.9, 100.1]), DIRECT)
    assert words.astype(">u2").tobytes().hex() == "4248000042c7cccd42c83333"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.125, 12), (0.135, 14), (0.1251, 13), (655.35, 65535), (700.0, 65535), (-1.0, 0)],
)
def test_word_rounds_half_to_even_and_clamps(value, expected):
    assert encode(value, "word", "F10", "Hz") == [expected]


def test_int_clamps_to_sixteen_bits():
    assert encode(40_000.0, "int", "F13", "W") == [32767]
    assert encode(-40_000.0, "int", "F13", "W") == [0x8000]


def test_energy_counts_only_what_is_complete():
    assert encode(199.999, "dword", "F4/F7", "kWh") == [0, 1]
    assert encode(200.0, "dword", "F4/F7", "kWh") == [0, 2]
    # 0.3 kWh is a whole count although 300/100 need not come out whole in binary.
    assert encode(3 * 0.1 * 1000, "dword", "F4/F7", "kWh") == [0, 3]


def test_energy_rolls_over_after_its_nine_digits():
    assert encode(99_999_999_900.0, "dword", "F4/F7", "kWh") == [0x3B9A, 0xC9FF]
    assert encode(100_000_000_000.0, "dword", "F4/F7", "kWh") == [0, 0]


def test_net_energy_is_in_twos_complement():
    net = ((-999_999_999, 999_999_999),)
    assert encode(-100.0, "dword", "F4/F7", "kWh", allowed=net) == [0xFFFF, 0xFFFF]
    assert decode([0xFFFF, 0xFFFE], "dword", "F4/F7", "kWh", allowed=net) == -200.0
    assert encode(-199.0, "dword", "F4/F7", "kWh", allowed=net) == [0xFFFF, 0xFFFF]


@pytest.mark.parametrize(
    ("dtype", "code", "unit"), [("float", "F1", "V"), ("word", "F18", "%"), ("int", "F11", "V")]
)
def test_missing_quantity_reads_zero(dtype, code, unit):
    assert set(encode(math.nan, dtype, code, unit)) == {0}


def test_float_clamps_beyond_single_precision():
    assert encode(1e300, "float", "F1", "W") == [0x7F7F, 0xFFFF]


def test_unknown_format_is_named():
    with pytest.raises(CodecError, match="word_F99: no format 'F99'"):
        encode(1.0, "word", "F99")


@given(value=st.floats(-32768, 32767), code=st.sampled_from(["F11", "F12", "F13", "F16", "F17", "F18"]))
def test_int_round_trip_is_within_half_a_count(value, code):
    resolution = {"F11": 0.1, "F12": 1e-3, "F13": 1.0, "F16": 1e-3, "F17": 1e-3, "F18": 1e-4}[code]
    unit = {"F11": "V", "F12": "A", "F13": "W", "F16": "", "F17": "%", "F18": "%"}[code]
    quantity = value * resolution
    back = decode(encode(quantity, "int", code, unit), "int", code, unit)
    assert abs(back - quantity) <= 0.5000001 * resolution


@given(raw=st.integers(0, 0xFFFFFFFF), dtype=st.sampled_from(["word", "int"]))
def test_words_survive_decoding_and_encoding(raw, dtype):
    words = [raw & 0xFFFF]
    assert encode(decode(words, dtype, "F12", "A"), dtype, "F12", "A") == words


@given(
    raw=st.integers(0, 999_999_999),
    secondary=st.booleans(),
    pt=st.integers(500, 5_000_000),
    ct=st.integers(1, 50_000),
)
def test_energy_words_survive_whatever_the_ratios(raw, secondary, pt, ct):
    scaling = Scaling(pt_ratio=pt / 1000, ct_ratio=ct / 5, energy_secondary=secondary)
    words = [raw >> 16, raw & 0xFFFF]
    assert encode(decode(words, "dword", "F4/F7", "kWh", scaling), "dword", "F4/F7", "kWh", scaling) == words


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float_round_trip_is_exact(value):
    assert decode(encode(value, "float", "F1"), "float", "F1") == value


def test_positions_leave_other_words_alone():
    codec = BlockCodec([register("word", "F11", "V"), register("dword", "F4/F7", "kWh")], [1, 3])
    out = np.full(6, 7, np.uint16)
    codec.encode(np.array([1.0, 6_553_600.0]), DIRECT, out=out)
    assert out.tolist() == [7, 10, 7, 1, 0, 7]
