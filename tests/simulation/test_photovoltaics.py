"""Sun, sky and plants against published values, closed forms and the energy of a year."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from twin.contracts import NS_PER_SECOND
from twin.simulation.load_sink import random_stream
from twin.simulation.photovoltaics import (
    Plant,
    PlantError,
    PlantSettings,
    Sky,
    air_temperature,
    irradiance,
    plant_power,
    start_plant,
    start_sky,
)
from twin.simulation.sun import DAY_NS, clear_sky, diffuse_fraction, solar_position

ORDERS = tuple(range(1, 26))
MINUTE_NS = 60 * NS_PER_SECOND
PLACE = {"latitude": 51.0, "longitude": 10.0}
PLANT = PlantSettings("roof", peak_power=10_000.0, rated_power=10_000.0, **PLACE)


def utc(*when: int) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * NS_PER_SECOND


def spencer(day: int) -> tuple[float, float]:
    """Declination [rad] and equation of time [min].

    J. Spencer, "Fourier series representation of the position of the sun", Search 2 (1971) 172.
    """
    b = 2.0 * math.pi * (day - 1) / 365.0
    declination = (
        0.006918
        - 0.399912 * math.cos(b)
        + 0.070257 * math.sin(b)
        - 0.006758 * math.cos(2 * b)
        + 0.000907 * math.sin(2 * b)
        - 0.002697 * math.cos(3 * b)
        + 0.00148 * math.sin(3 * b)
    )
    equation = 229.18 * (
        0.000075
        + 0.001868 * math.cos(b)
        - 0.032077 * math.sin(b)
        - 0.014615 * math.cos(2 * b)
        - 0.040849 * math.sin(2 * b)
    )
    return declination, equation


class TestSun:
    def test_published_example(self):
        """NREL/TP-560-34302 (Reda and Andreas 2008), appendix A.5: Golden, 17 October 2003 12:30:30 MST.

        The topocentric elevation without refraction is 39.872046, the azimuth 194.340241 degrees.
        """
        elevation, azimuth = solar_position(
            utc(2003, 10, 17, 19, 30, 30), latitude=39.742476, longitude=-105.1786
        )
        assert math.degrees(elevation) == pytest.approx(39.872, abs=0.02)
        assert math.degrees(azimuth) == pytest.approx(194.340, abs=0.02)

    @pytest.mark.parametrize("month", range(1, 13))
    @pytest.mark.parametrize("latitude", [-35.0, 0.0, 51.0])
    def test_noon(self, month, latitude):
        """At solar noon the elevation is 90 degrees less the distance of latitude and declination.

        Spencer's series knows no leap years: up to a day, 0.4 degrees at the equinoxes.
        """
        begin = utc(2026, month, 21)
        declination, equation = spencer(datetime(2026, month, 21).timetuple().tm_yday)
        times = begin + np.arange(86_400 // 10) * 10 * NS_PER_SECOND
        elevation, azimuth = solar_position(times, latitude=latitude, longitude=10.0)
        noon = int(elevation.argmax())
        expected = 90.0 - abs(latitude - math.degrees(declination))
        assert math.degrees(elevation[noon]) == pytest.approx(expected, abs=0.5)
        assert noon / 6.0 == pytest.approx(720.0 - 4.0 * 10.0 - equation, abs=1.0)
        if abs(latitude - math.degrees(declination)) > 5.0:
            south = latitude > math.degrees(declination)
            assert math.cos(azimuth[noon]) == pytest.approx(-1.0 if south else 1.0, abs=1e-3)

    @pytest.mark.parametrize(
        ("when", "declination"),
        [
            ((2026, 3, 20, 14, 46), 0.0),
            ((2026, 6, 21, 8, 25), 23.436),
            ((2026, 9, 23, 0, 5), 0.0),
            ((2026, 12, 21, 20, 50), -23.436),
        ],
    )
    def test_equinoxes_and_solstices(self, when, declination):
        """At the pole the elevation is the declination; instants of the Astronomical Almanac, UTC."""
        elevation, _ = solar_position(utc(*when), latitude=90.0, longitude=0.0)
        assert math.degrees(elevation) == pytest.approx(declination, abs=0.01)

    def test_moves_westward(self):
        times = utc(2026, 6, 21, 4) + np.arange(14) * 3600 * NS_PER_SECOND
        _, azimuth = solar_position(times, **PLACE)
        assert (np.diff(azimuth) > 0.0).all()

    def test_polar_night_and_day(self):
        times = utc(2026, 12, 21) + np.arange(24) * 3600 * NS_PER_SECOND
        assert solar_position(times, latitude=75.0, longitude=10.0)[0].max() < 0.0
        times = utc(2026, 6, 21) + np.arange(24) * 3600 * NS_PER_SECOND
        assert solar_position(times, latitude=75.0, longitude=10.0)[0].min() > 0.0


class TestIrradiance:
    def test_haurwitz_by_hand(self):
        # 1098 exp(-0.059) = 1035.1; 549 exp(-0.118) = 487.9; 190.66 exp(-0.33977) = 135.7
        light = clear_sky(np.radians([90.0, 30.0, 10.0, 0.0, -20.0]))
        assert light == pytest.approx([1035.1, 487.9, 135.7, 0.0, 0.0], abs=0.1)

    def test_erbs_by_hand(self):
        # 1 - 0.009; the polynomial at 0.5; the constant above 0.8
        assert diffuse_fraction([0.1, 0.5, 0.9]) == pytest.approx([0.991, 0.65915, 0.165], abs=1e-5)

    def test_erbs_is_continuous(self):
        for edge in (0.22, 0.80):
            below, above = diffuse_fraction([edge - 1e-6, edge + 1e-6])
            assert below == pytest.approx(above, abs=5e-3)

    def test_flat_modules_see_the_global_irradiance(self):
        flat = PlantSettings("flat", 1.0, 1.0, **PLACE, tilt=0.0)
        times = utc(2026, 6, 21, 6) + np.arange(12) * 3600 * NS_PER_SECOND
        elevation, _ = solar_position(times, **PLACE)
        assert irradiance(flat, times, 1.0) == pytest.approx(clear_sky(elevation), rel=1e-12)

    def test_tilt_gains_in_winter_and_loses_little_in_summer(self):
        flat, tilted = (PlantSettings("x", 1.0, 1.0, **PLACE, tilt=tilt) for tilt in (0.0, 35.0))
        winter, summer = utc(2026, 12, 21, 11), utc(2026, 6, 21, 11)
        assert irradiance(tilted, winter, 1.0) > 1.5 * irradiance(flat, winter, 1.0)
        assert irradiance(tilted, summer, 1.0) == pytest.approx(
            float(irradiance(flat, summer, 1.0)), rel=0.12
        )

    def test_east_and_west_mirror(self):
        east, west = (PlantSettings("x", 1.0, 1.0, **PLACE, azimuth=facing) for facing in (90.0, 270.0))
        times = utc(2026, 6, 21) + np.arange(1440) * MINUTE_NS
        morning, evening = irradiance(east, times, 1.0), irradiance(west, times, 1.0)
        assert morning.argmax() < evening.argmax()
        assert morning.sum() == pytest.approx(evening.sum(), rel=0.01)


class TestPlantPower:
    def test_standard_test_conditions(self):
        """1000 W/m2 at a cell of 25 degrees: peak power, less the losses and the inverter's."""
        power = plant_power(PLANT, 1000.0, 25.0 - 31.25)
        assert float(power) == pytest.approx(10_000.0 * 0.92 * 0.965, rel=1e-12)

    def test_heat_costs_power(self):
        # 10 kelvin more at -0.37 %/K
        cool, warm = plant_power(PLANT, 1000.0, np.array([-6.25, 3.75]))
        assert warm / cool == pytest.approx(1.0 - 0.037, rel=1e-12)

    @given(light=st.floats(0.0, 1500.0), ambient=st.floats(-20.0, 45.0), factor=st.floats(0.8, 1.0))
    def test_inverter_holds_its_rating(self, light, ambient, factor):
        small = PlantSettings("x", 10_000.0, 6_000.0, **PLACE, power_factor=factor)
        power = float(plant_power(small, light, ambient))
        assert 0.0 <= power <= 6_000.0 * factor + 1e-9

    def test_yield_of_a_year(self):
        """Some 1,000 kWh a year and kWp.

        Fraunhofer ISE, "Recent facts about photovoltaics in Germany", gives about 900 to 1,000 kWh/kWp for
        systems as they stand; one that faces south without shade, as here, lies above the mean. Global
        irradiation: 1,086 kWh/m2, the German mean of 1991 to 2020 (Deutscher Wetterdienst).
        """
        times = utc(2025, 1, 1) + np.arange(365 * 144) * 600 * NS_PER_SECOND
        yields, irradiations = [], []
        for seed in range(4):
            index = looks(Sky(random_stream(seed, "sky"), cloudiness=0.6), times)
            power = plant_power(
                PLANT, irradiance(PLANT, times, index), air_temperature(times, longitude=10.0)
            )
            yields.append(power.sum() / 6e3 / 10.0)
            irradiations.append((clear_sky(solar_position(times, **PLACE)[0]) * index).sum() / 6e3)
        assert np.mean(yields) == pytest.approx(1020.0, rel=0.10)
        assert np.mean(irradiations) == pytest.approx(1086.0, rel=0.05)

    def test_yield_of_clear_days(self):
        """A clear summer day gives some 6 to 7.5 kWh/kWp, a clear one in December 1.5 to 2.5 (estimate)."""
        for day, low, high in ((utc(2026, 6, 21), 6.0, 7.5), (utc(2026, 12, 21), 1.5, 2.5)):
            times = day + np.arange(1440) * MINUTE_NS
            ambient = air_temperature(times, longitude=10.0)
            hours = plant_power(PLANT, irradiance(PLANT, times, 1.0), ambient).sum() / 60.0 / 10_000.0
            assert low < hours < high


def looks(sky: Sky, times: np.ndarray) -> np.ndarray:
    """Clear-sky index at ascending times."""
    begins, indices, at = [], [], int(times[0])
    for stays, index in sky.changes():
        begins.append(at)
        indices.append(index)
        at += stays
        if at > times[-1]:
            break
    return np.array(indices)[np.searchsorted(begins, times, side="right") - 1]


class TestSky:
    @pytest.mark.parametrize("cloudiness", [0.0, 0.4, 0.8, 1.0])
    def test_clouds_take_their_share_of_time(self, cloudiness):
        times = np.arange(3 * 365 * 24 * 6) * 600 * NS_PER_SECOND
        index = looks(Sky(random_stream(5, "sky"), cloudiness=cloudiness), times)
        assert np.mean(index < 0.9) == pytest.approx(cloudiness, abs=0.04)

    def test_starts_anywhere(self):
        """The first look is distributed as any other: no warm-up."""
        first = [Sky(random_stream(seed, "sky"), cloudiness=0.4).clear_sky_index for seed in range(800)]
        assert np.mean(np.array(first) < 0.9) == pytest.approx(0.4, abs=0.06)

    def test_no_share(self):
        with pytest.raises(PlantError, match=r"cloudiness 60 is no share; give a number from 0 to 1"):
            Sky(random_stream(1, "sky"), cloudiness=60)


class Listener:
    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.p, self.q = np.zeros(6), np.zeros(6)
        self.emission = np.zeros((6, len(ORDERS)), dtype=complex)
        self.log: list[tuple[str, int, int]] = []
        self.powers: list[tuple[int, float]] = []

    def change(self, load, delta_p, delta_q, delta_emission, *, cause):
        self.p[load] += delta_p
        self.q[load] += delta_q
        self.emission[load] += delta_emission
        self.log.append((cause.split(":")[0], self.env.now, load))
        self.powers.append((self.env.now, self.p[load]))


def run(
    plant: PlantSettings, begin: int, end: int, *, loads=(0,), seed=1, cloudiness=0.5
) -> tuple[Listener, simpy.Environment]:
    env = simpy.Environment(initial_time=begin)
    sink = Listener(env)
    sky = start_sky(env, rng=random_stream(seed, "sky"), cloudiness=cloudiness)
    start_plant(env, sink, loads=loads, settings=plant, orders=ORDERS, sky=sky)
    env.run(end)
    return sink, env


class TestProcess:
    def test_every_minute_with_the_sun_up(self):
        """Under a clear sky: one change a minute, on the minute, from sunrise to sunset."""
        sink, _ = run(PLANT, utc(2026, 6, 20, 22), utc(2026, 6, 21, 22), cloudiness=0.0)
        clouds = [at for _, at, _ in sink.log if at % MINUTE_NS]
        minutes = [("roof", at, 0) for _, at, _ in sink.log if at % MINUTE_NS == 0]
        first, last = minutes[0][1], minutes[-1][1]
        assert minutes == [("roof", at, 0) for at in range(first, last + 1, MINUTE_NS)]
        assert len(clouds) < 60
        # Sunrise at 51 N in June is near 3:00 UTC at 10 E (16.5 hours of day); 0.5 % of the rating later.
        assert utc(2026, 6, 21, 2, 50) < first < utc(2026, 6, 21, 3, 50)
        assert utc(2026, 6, 21, 18, 40) < last < utc(2026, 6, 21, 19, 40)

    def test_feeds_in_by_day_and_is_exactly_off_at_night(self):
        sink, _ = run(PLANT, utc(2026, 6, 20, 22), utc(2026, 6, 21, 22))
        for at, power in sink.powers:
            elevation, _ = solar_position(at, **PLACE)
            assert power <= 0.0
            if elevation < 0.0:
                assert power == 0.0
        assert min(power for _, power in sink.powers) < -5_000.0
        assert sink.p[0] == 0.0
        assert sink.q[0] == 0.0
        assert not sink.emission[0].any()

    def test_no_event_at_night(self):
        sink, _ = run(PLANT, utc(2026, 12, 21, 17), utc(2026, 12, 22, 5))
        assert not sink.log

    def test_clouds_act_at_once(self):
        sink, _ = run(PLANT, utc(2026, 6, 21, 10), utc(2026, 6, 21, 16), seed=4, cloudiness=0.5)
        between = [at for _, at, _ in sink.log if at % MINUTE_NS]
        assert len(between) > 5

    def test_the_state_is_there_before_the_first_step(self):
        env = simpy.Environment(initial_time=utc(2026, 6, 21, 11))
        sink = Listener(env)
        sky = start_sky(env, rng=random_stream(1, "sky"), cloudiness=0.0)
        start_plant(env, sink, loads=(2,), settings=PLANT, orders=ORDERS, sky=sky)
        assert sink.p[2] < -6_000.0

    def test_three_phases_share_equally(self):
        sink, _ = run(PLANT, utc(2026, 6, 21, 8), utc(2026, 6, 21, 9), loads=(1, 3, 5))
        assert sink.p[1] == sink.p[3] == sink.p[5] < 0.0
        assert sink.p[[0, 2, 4]].tolist() == [0.0] * 3

    def test_reactive_power_and_current_harmonics(self):
        plant = PlantSettings("x", 10_000.0, 10_000.0, **PLACE, power_factor=0.95, overexcited=True)
        sink, _ = run(plant, utc(2026, 6, 21, 10), utc(2026, 6, 21, 10, 30))
        # tan(arccos 0.95) = 0.32868; an overexcited plant delivers reactive power as well.
        assert sink.q[0] / sink.p[0] == pytest.approx(0.32868, abs=1e-5)
        fifth = abs(sink.emission[0, 4]) / math.hypot(sink.p[0], sink.q[0])
        assert fifth == pytest.approx(0.015, abs=1e-6)
        assert sink.emission[0, 0] == 0.0

    def test_spectrum_within_iec_61727(self):
        """IEC 61727:2004 table 1: odd orders 3 to 9 under 4 %, 11 to 15 under 2 %."""
        for order, (percent, _) in PLANT.spectrum.table.items():
            assert percent < (4.0 if order <= 9 else 2.0)
        total = math.sqrt(sum(percent**2 for percent, _ in PLANT.spectrum.table.values()))
        assert total < 5.0

    def test_plants_under_one_sky_move_together_and_do_not_disturb_each_other(self):
        begin, end = utc(2026, 6, 21, 8), utc(2026, 6, 21, 12)
        alone, _ = run(PLANT, begin, end)
        env = simpy.Environment(initial_time=begin)
        sink = Listener(env)
        sky = start_sky(env, rng=random_stream(1, "sky"), cloudiness=0.5)
        other = PlantSettings("barn", 30_000.0, 25_000.0, **PLACE, azimuth=90.0)
        start_plant(env, sink, loads=(1, 2, 3), settings=other, orders=ORDERS, sky=sky)
        start_plant(env, sink, loads=(0,), settings=PLANT, orders=ORDERS, sky=sky)
        env.run(end)
        assert [entry for entry in sink.log if entry[0] == "roof"] == alone.log
        assert sink.p[0] == alone.p[0]

    def test_same_seed_same_day(self):
        begin, end = utc(2026, 6, 21, 8), utc(2026, 6, 21, 12)
        assert run(PLANT, begin, end)[0].powers == run(PLANT, begin, end)[0].powers
        assert run(PLANT, begin, end)[0].powers != run(PLANT, begin, end, seed=2)[0].powers

    def test_polar_night_waits(self):
        north = PlantSettings("x", 1e4, 1e4, latitude=78.0, longitude=15.0)
        sink, env = run(north, utc(2026, 12, 1), utc(2026, 12, 20))
        assert not sink.log
        assert env.now == utc(2026, 12, 20)
        assert env.peek() - env.now < DAY_NS


class TestMisuse:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"peak_power": 0.0}, "x: peak and rated power must be above zero"),
            ({"rated_power": math.nan}, "x: peak and rated power must be above zero"),
            ({"power_factor": 1.2}, "x: power factor 1.2 is not within 0 and 1"),
            ({"latitude": 120.0}, "x: stands nowhere on earth"),
        ],
    )
    def test_settings(self, change, message):
        settings = {"peak_power": 1e4, "rated_power": 1e4, **PLACE} | change
        with pytest.raises(PlantError, match=message):
            Plant(Listener(simpy.Environment()), [0], PlantSettings("x", **settings), ORDERS)

    def test_two_phases(self):
        with pytest.raises(PlantError, match="roof: has 2 load points; give one or three"):
            Plant(Listener(simpy.Environment()), [0, 1], PLANT, ORDERS)
