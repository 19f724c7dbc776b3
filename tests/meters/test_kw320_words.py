"""Words of many meters at once: each has those that it would have alone, and on its own refresh."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.meters.kw320_site import AMPERES, SECOND, START, VOLTS, scaled, segment
from twin.meters import AlarmConfig, MeterConfig, build_fleet
from twin.meters.codec import BlockCodec, Scaling
from twin.meters.kw320.fleet import Fleet
from twin.meters.kw320.profile import image_map
from twin.metrology import even_thd, k_factor, odd_thd, telephone_harmonic_form_factor

CONFIGS = [
    MeterConfig(name="one", profile="kw320q", ct1=100, time_zone="Europe/London"),
    MeterConfig(name="two", profile="kw320", ct1=50, registers={"energy_display": 1}),
    MeterConfig(name="three", profile="kw320q", ct1=200, time_zone="Asia/Shanghai"),
    MeterConfig(
        name="four", profile="kw320", pt1=11000.0, pt2=100.0, registers={"basic_parameter_mode": 1},
        alarms=(AlarmConfig(channel=1, parameter="i1", comparison=">", setpoint=1.0),),
    ),
    MeterConfig(name="five", profile="kw320q", accuracy="ideal"),
]  # fmt: skip


def feed(first, count):
    """Return a segment in which each meter has currents of its own, whatever others there are."""
    parts = [
        segment(scaled(VOLTS, 0.02), scaled(AMPERES, 0.1 + 0.05 * meter), start_ns=START)
        for meter in range(first, first + count)
    ]
    return replace(parts[0], amplitude=np.concatenate([part.amplitude for part in parts]))


def alone(meter) -> Fleet:
    return build_fleet([CONFIGS[meter]], start_ns=START)


def test_each_meter_has_the_words_that_it_has_alone():
    together, singles = build_fleet(CONFIGS, start_ns=START), [alone(meter) for meter in range(5)]
    inputs = feed(0, 5)
    parts = [feed(meter, 1) for meter in range(5)]
    assert together.groups == ((0, 2, 4), (1, 3))
    now = START
    for tenths in (3, 1, 7, 25, 580, 4):
        now += tenths * SECOND // 10
        together.advance(inputs, now)
        for single, part in zip(singles, parts, strict=True):
            single.advance(part, now)
        for group, members in enumerate(together.groups):
            words = together.group_words(group)
            for row, meter in enumerate(members):
                np.testing.assert_array_equal(words[row], singles[meter].words(0), err_msg=str(meter))
                np.testing.assert_array_equal(words[row], together.words(meter))
        answer = together.write(3, 0x100D, [1 + tenths % 30], now)
        assert answer == singles[3].write(0, 0x100D, [1 + tenths % 30], now)
        assert answer.refusal is None


def test_one_meter_can_be_brought_up_to_now_without_the_others():
    fleet, inputs = build_fleet(CONFIGS, start_ns=START), feed(0, 5)
    fleet.advance(inputs, START + SECOND)
    before = fleet.group_words(0).copy()
    fleet.advance(inputs, START + 2 * SECOND)
    fresh = fleet.words(2)
    table = fleet._tables["kw320q"]
    np.testing.assert_array_equal(table.words[[0, 2]], before[[0, 2]])
    np.testing.assert_array_equal(table.words[1], fresh)
    assert not np.array_equal(fresh, before[1])
    after = fleet.group_words(0)
    np.testing.assert_array_equal(after[1], fresh)
    seconds = [fleet._tables["kw320q"].layout.raw_word(words, "second") for words in after]
    assert seconds == [2 + START // SECOND % 60] * 3


def test_values_of_a_group_are_those_of_its_words():
    fleet = build_fleet(CONFIGS, start_ns=START)
    fleet.advance(feed(0, 5), START + 61 * SECOND)
    for group, members in enumerate(fleet.groups):
        fleet.group_words(group)
        shown = fleet.group_values(group)
        for row, meter in enumerate(members):
            expected = fleet.decode(meter, fleet.words(meter))
            assert {name: values[row] for name, values in shown.items()} == pytest.approx(
                expected, nan_ok=True
            )


def test_setting_one_clock_leaves_the_others():
    fleet, inputs = build_fleet(CONFIGS, start_ns=START), feed(0, 5)
    fleet.advance(inputs, START + SECOND)
    fleet.group_words(1)
    assert fleet.write(1, 0x1043, [3, 4], START + SECOND).refusal is None
    fleet.advance(inputs, START + 3 * SECOND)
    layout = fleet._tables["kw320"].layout
    shown = [
        (layout.raw_word(words, "hour"), layout.raw_word(words, "minute")) for words in fleet.group_words(1)
    ]
    assert shown[0] == (3, 4)
    assert shown[1] == (START // SECOND // 3600 % 24, START // SECOND // 60 % 60)


REGISTERS = [register for register in image_map("kw320q").registers if register.source.split(".")[0] in {
    "fast", "basic", "energy", "extreme", "harmonic"}]  # fmt: skip
SCALINGS = [Scaling(), Scaling(4.0, 20.0, float_primary=True), Scaling(110.0, 3.0, energy_secondary=True)]
values = st.one_of(
    st.floats(-1e12, 1e12),
    st.just(np.nan),
    st.floats(-2.0, 2.0),
    st.sampled_from([0.5, 1.5, -0.5, 1e300, -1e300]),
)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_the_kernel_encodes_as_the_codec_of_one_meter_does(data):
    chosen = data.draw(st.lists(st.sampled_from(REGISTERS), min_size=1, max_size=12, unique=True))
    codec = BlockCodec(chosen)
    table = np.array(data.draw(st.lists(st.lists(values, min_size=12, max_size=12), min_size=3, max_size=3)))
    scalings = data.draw(st.lists(st.sampled_from(SCALINGS), min_size=3, max_size=3))
    place = np.array(data.draw(st.permutations(range(3))))
    column = np.array(data.draw(st.permutations(range(12))))[: len(chosen)]
    rows = np.array(data.draw(st.lists(st.integers(0, 2), unique=True)), np.int64)
    out = np.full((3, codec.size), 0xABCD, np.uint16)
    factor = np.array([codec.factor(scaling) for scaling in scalings])
    codec.encode_rows(table, factor, rows, out, place=place, column=column)
    for row in range(3):
        if row in rows:
            np.testing.assert_array_equal(out[row], codec.encode(table[place[row], column], scalings[row]))
            np.testing.assert_array_equal(
                codec.decode_rows(out, factor)[row], codec.decode(out[row], scalings[row])
            )
        else:
            assert (out[row] == 0xABCD).all()


def test_ratios_of_harmonics_are_those_of_metrology():
    from twin.meters.wave_shape_kernels import harmonic_ratios
    from twin.metrology import psophometric_weight

    random = np.random.default_rng(3)
    harmonic = random.random((4, 6, 64)) * np.geomspace(200, 0.01, 64)
    rms, live = np.sqrt((harmonic**2).sum(axis=2))[:, :3], np.ones((4, 6), bool)
    live[2, [1, 4]] = False
    frequency, which = np.array([49.5, 50.0]), np.array([1, 0, 1, 0])
    known = frequency[:, None] * np.arange(64)
    shares, ratios = np.empty((4, 6, 62)), np.empty((4, 6, 3))
    weight = known / 800 * psophometric_weight(known)
    harmonic_ratios(harmonic, live, weight, which, rms, 1e-9, shares, ratios)
    harmonic[~live] = np.nan
    np.testing.assert_allclose(shares, np.nan_to_num(harmonic[..., 2:] / harmonic[..., 1:2]), rtol=1e-14)
    np.testing.assert_allclose(ratios[..., 0], np.nan_to_num(odd_thd(harmonic, highest=63)), rtol=1e-12)
    np.testing.assert_allclose(ratios[..., 1], np.nan_to_num(even_thd(harmonic, highest=63)), rtol=1e-12)
    thff = telephone_harmonic_form_factor(harmonic[:, :3], frequency[which][:, None], rms)
    np.testing.assert_allclose(ratios[:, :3, 2], np.nan_to_num(thff), rtol=1e-12)
    k = k_factor(harmonic[:, 3:], highest=63)
    np.testing.assert_allclose(ratios[:, 3:, 2], np.nan_to_num(k), rtol=1e-12)
