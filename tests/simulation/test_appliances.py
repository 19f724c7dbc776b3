"""Courses of appliances as traces, harmonic spectra against their limits, exact draws."""

import itertools
import re
from collections.abc import Iterator

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from tests.simulation.population import CALENDAR, DAY_NS, ORDERS, WORKDAY, Listener
from twin.contracts import NS_PER_SECOND
from twin.simulation.appliances import (
    Repeat,
    Spectrum,
    Step,
    draw_course,
    make_device,
    pulse_ratio,
    read_appliances,
    spectrum_ratio,
)
from twin.simulation.households import HouseholdSettings, start_household
from twin.simulation.load_sink import Contribution, make_draw, random_stream, reactive_power

COURSES = {
    "kettle": "(on off )+",
    "toaster": "(on off )+",
    "vacuum_cleaner": "(on off )+",
    "electric_shower": "(heat off )+",
    "coffee_machine": "(heat pump heat pump heat off )+",
    "fridge": "(start cool off )+",
    "freezer": "(start cool off )+",
    "hob": "(boil (off boil )*off )+",
    "oven": "(heat (hold heat )*(hold )?off )+",
    "microwave": "((magnetron turntable )*(magnetron )?off )+",
    "dishwasher": "(drain pump heat pump drain pump drain heat pump drain off )+",
    "washing_machine": (
        "(fill (heat_turn heat )*(heat_turn )?(turn fill )*(turn )?"
        "drain fill (turn fill )*(turn )?drain spin off )+"
    ),
    "tumble_dryer": "(heat (tumble heat )*tumble off )+",
    "iron": "(heat (off heat )*off )+",
    "television": "((bright dim )*(bright )?off )+",
    "heating_pump": "(on off )+",
    "light": "(on off )+",
}


def trace(name: str, days: int = 10) -> list[tuple[str, int]]:
    """The (state, time) list of one appliance, from the start of its first use to the end of its last."""
    begin = CALENDAR.utc_ns(WORKDAY, 0.0)
    env = simpy.Environment(initial_time=begin)
    log: list[tuple[str, int]] = []

    class Log:
        def change(self, load, delta_p, delta_q, delta_emission, *, cause):
            label, _, state = cause.removeprefix("h: ").rpartition(" ")
            if label in {name, f"{name} 1"}:
                log.append((state, env.now))

    # The kettle takes the energy that is left, so that any appliance may be looked at.
    settings = HouseholdSettings("h", 4.5e5, 4, appliances=(name, "kettle"))
    stream = random_stream(3, "h")
    start_household(env, Log(), load=0, settings=settings, orders=(1,), calendar=CALENDAR, rng=stream)
    env.run(begin + days * DAY_NS)
    first = next(at for at, (state, _) in enumerate(log) if state == "off") + 1
    last = len(log) - [state for state, _ in reversed(log)].index("off")
    return log[first:last]


class TestTraces:
    @pytest.mark.parametrize("name", COURSES)
    def test_states_follow_the_course(self, name):
        log = trace(name, days={"vacuum_cleaner": 60, "light": 40}.get(name, 10))
        states = "".join(f"{state} " for state, _ in log)
        assert len(log) >= 4
        # A trace may end within a course whose own pauses are 'off' as well.
        assert re.fullmatch(COURSES[name], states), states[:400]

    def test_kettle_times(self):
        log = trace("kettle")
        boils = [(off - on) / NS_PER_SECOND for (_, on), (_, off) in itertools.pairwise(log)][::2]
        assert all(80.0 <= boil <= 240.0 for boil in boils)
        assert all(state == ("on", "off")[at % 2] for at, (state, _) in enumerate(log))

    def test_fridge_cycles_day_and_night(self):
        log = trace("fridge", days=3)
        starts = [at for state, at in log if state == "start"]
        assert len(starts) == pytest.approx(3 * 86_400 / (0.4 + 14 * 60 + 33 * 60), rel=0.05)
        rests = [(b - a) / 60e9 for (state, a), (_, b) in itertools.pairwise(log) if state == "off"]
        assert all(25.0 <= rest <= 41.0 for rest in rests)

    def test_hob_regulator_has_short_cycles(self):
        log = trace("hob", days=20)
        pauses = [
            (b - a) / 1e9
            for (state, a), (_, b) in itertools.pairwise(log)
            if state == "off" and b - a < 60 * NS_PER_SECOND
        ]
        assert len(pauses) > 100
        # A zone that is cut off in its pause rests longer: only 16 s to 30 s are pauses of the regulator.
        assert np.mean([16.0 <= pause <= 30.0 for pause in pauses]) > 0.98

    def test_course_without_chance(self):
        course = (
            Step(state="a", duration=("2 s", "2 s")),
            Repeat(
                repeat=(Step(state="b", duration=("3 s", "3 s")), Step(state="a", duration=("1 s", "1 s"))),
                duration=("9 s", "9 s"),
            ),
        )
        durations, positions = draw_course(course, ("a", "b", "rest"), random_stream(1, "x"))
        assert [duration // NS_PER_SECOND for duration in durations] == [2, 3, 1, 3, 1, 1]
        assert positions == [0, 1, 0, 1, 0, 1]


class TestDraws:
    @given(
        p=st.floats(-1e5, 1e5),
        q=st.floats(-1e5, 1e5),
        angle=st.floats(-3.1, 3.1),
        ratio=st.complex_numbers(max_magnitude=1.0),
        order=st.integers(2, 40),
    )
    def test_emission_keeps_the_wave_shape(self, p, q, angle, ratio, order):
        """I_h turns with the fundamental current, not with the voltage."""
        draw = make_draw(p, q, np.array([1.0, ratio]), (1, order))
        voltage = 230.0 * np.exp(1j * angle)
        fundamental = np.conj((p + 1j * q) / voltage)
        injected = draw.emission[1] * np.exp(1j * order * angle) / abs(voltage)
        expected = ratio * abs(fundamental) * np.exp(1j * order * np.angle(fundamental))
        assert abs(injected - expected) < 1e-6
        assert draw.emission[0] == 0.0

    @given(st.lists(st.floats(-1e5, 1e5), min_size=2, max_size=40))
    def test_changes_of_draws_add_up_exactly(self, powers):
        sink = Listener()
        contribution = Contribution(sink, 0, len(ORDERS))
        nothing = contribution.now
        for p in powers:
            contribution.move(make_draw(p, 0.3 * p, np.full(len(ORDERS), 0.1j), ORDERS), cause="x")
        contribution.move(nothing, cause="off")
        assert sink.p[0] == 0.0
        assert sink.q[0] == 0.0
        assert not sink.emission.any()

    def test_reactive_power(self):
        # 3-4-5: cos phi 0.6 at 3 kW is 4 kvar.
        assert reactive_power(3000.0, 0.6) == pytest.approx(4000.0)
        assert reactive_power(3000.0, 0.6, leading=True) == pytest.approx(-4000.0)


class TestSpectra:
    def test_pulse_against_transform(self):
        """The closed form against an FFT of the pulses."""
        width = np.radians(62.0)
        angle = (np.arange(7200) - 3600) * 2 * np.pi / 7200
        crest = np.where(abs(angle) < width / 2, np.cos(np.pi * angle / width), 0.0)
        wave = crest - np.roll(crest, 3600)
        lines = np.fft.rfft(np.fft.ifftshift(wave)).real
        for order in range(2, 30):
            assert pulse_ratio(width, order) == pytest.approx(lines[order] / lines[1], abs=1e-5)

    def test_pulse_of_a_whole_half_cycle_is_a_sine(self):
        assert [pulse_ratio(np.pi, order) for order in (3, 5, 7)] == pytest.approx([0.0] * 3, abs=1e-12)

    def test_order_one_is_one(self):
        for spectrum in read_appliances().spectra.values():
            assert spectrum_ratio(spectrum, (1,))[0] == 1.0

    def test_table_angle(self):
        spectrum = Spectrum(table={3: (50.0, 90.0)}, source="test")
        assert spectrum_ratio(spectrum, (3,))[0] == pytest.approx(0.5j)

    @pytest.mark.parametrize("name", sorted(read_appliances().appliances))
    def test_limits_of_iec_61000_3_2(self, name):
        """IEC 61000-3-2:2018 tables 1 and 3 and 7.4.3 a) at 230 V and the largest rating."""
        catalogue = read_appliances()
        kind = catalogue.appliances[name]

        class Largest:
            def random(self):
                return 1.0

        device = make_device(catalogue, kind, ORDERS, Largest())
        for state, draw in zip(device.states, device.draws, strict=True):
            watts = draw.p
            if state in {"start", "rest"} or (watts <= 75.0 and name != "light"):
                continue  # 6.2.2: starting within 10 s is not assessed; 7.1: no limits up to 75 W
            current = abs(draw.emission) / 230.0
            for order, limit in limits(name, watts, float(np.hypot(draw.p, draw.q))):
                assert current[order - 1] <= limit * 1.001, (state, order)

    def test_file_names_a_source_everywhere(self):
        catalogue = read_appliances()
        assert all(entry.source for entry in (*catalogue.appliances.values(), *catalogue.spectra.values()))


CLASS_A = {2: 1.08, 3: 2.30, 4: 0.43, 5: 1.14, 6: 0.30, 7: 0.77, 9: 0.40, 11: 0.33, 13: 0.21}
CLASS_D = {3: 3.4, 5: 1.9, 7: 1.0, 9: 0.5, 11: 0.35}


def limits(name: str, watts: float, apparent: float) -> Iterator[tuple[int, float]]:
    """Orders and limits [A] of an appliance's class."""
    if name == "light":
        yield 3, 0.86 * apparent / 230.0
        yield 5, 0.61 * apparent / 230.0
        return
    for order in range(2, 41):
        general = 0.23 * 8 / order if order % 2 == 0 else 0.15 * 15 / order
        limit = CLASS_A.get(order, general)
        if name in {"television", "second_television", "computer", "laptop"} and order % 2:
            limit = min(limit, CLASS_D.get(order, 3.85 / order) * 1e-3 * watts)
        yield order, limit
