"""Households against the standard load profile H0; determinism, warm start, exactness, misuse."""

import time
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest
import simpy

from tests.simulation.population import (
    CALENDAR,
    DAY_NS,
    ORDERS,
    WORKDAY,
    Listener,
    energies,
    population,
    start,
)
from tests.simulation.standard_load_profile import h0
from twin.contracts import NS_PER_SECOND
from twin.simulation.households import Household, HouseholdError, HouseholdSettings, start_household
from twin.simulation.load_sink import random_stream


@pytest.fixture(scope="module")
def houses() -> list[Household]:
    return population(200)


class TestAgainstStandardLoadProfile:
    @pytest.mark.parametrize(
        ("kind", "day", "count", "peak"),
        [
            ("workday", WORKDAY, 200, 19),
            ("saturday", date(2026, 1, 17), 80, 19),
            ("sunday", date(2026, 1, 18), 80, 12),
        ],
    )
    def test_mean_day(self, houses, kind, day, count, peak):
        begin = CALENDAR.utc_ns(day, 0.0)
        edges = begin + np.arange(25) * 3600 * NS_PER_SECOND
        mean = sum(energies(house, begin, edges) for house in houses[:count]) / count
        reference = h0(kind, day) * 3500.0
        assert int(reference.argmax()) == peak
        assert abs(int(mean.argmax()) - peak) <= 1
        assert np.corrcoef(mean, reference)[0, 1] > 0.95
        # A sample of a hundred households scatters by some percent; H0 itself is a mean of thousands.
        assert mean.sum() == pytest.approx(reference.sum(), rel=0.15)
        assert mean.min() / mean.mean() == pytest.approx(reference.min() / reference.mean(), abs=0.10)

    def test_energy_of_the_year(self, houses):
        # Every 26 days: twice each weekday. 14 houses of 14 days scatter by 3 %.
        days = [date(2026, 1, 5) + timedelta(days=26 * at) for at in range(14)]
        spent = 0.0
        for house in houses[::15]:
            for day in days:
                begin = CALENDAR.utc_ns(day, 0.0)
                spent += energies(house, begin, np.array([begin, begin + DAY_NS]))[0]
        yearly = spent * 365.25 / (len(days) * len(houses[::15]))
        assert yearly == pytest.approx(3.5e6, rel=0.10)

    def test_more_energy_means_more_uses_not_more_power(self):
        small, large = (
            Household(
                HouseholdSettings("h", energy, 3), orders=(1,), calendar=CALENDAR, rng=random_stream(5, "h")
            )
            for energy in (3e6, 6e6)
        )
        assert large.use_scale > 1.5 * small.use_scale
        ratings = [
            {unit.name: unit.device.draws[0].p for unit in house.units if unit.name != "standby"}
            for house in (small, large)
        ]
        assert all(ratings[1][name] == power for name, power in ratings[0].items())


class TestCost:
    def test_a_day_of_55_households(self):
        settings = [HouseholdSettings(f"h{at}", 3.4e6, 1 + at % 4) for at in range(55)]
        begin = CALENDAR.utc_ns(WORKDAY, 0.0)
        before = time.process_time()
        env, sink, _ = start(settings, begin)
        already = len(sink.heard)
        env.run(begin + DAY_NS)
        spent = time.process_time() - before
        assert 20_000 < len(sink.heard) - already < 40_000
        # Five times what it takes, so that a busy machine does not fail it.
        assert spent < 10.0

    def test_no_change_is_empty(self):
        begin = CALENDAR.utc_ns(WORKDAY, 0.0)
        env, sink, _ = start([HouseholdSettings("h", 3.5e6, 3)], begin)
        env.run(begin + DAY_NS)
        assert all(delta != 0.0 for _, _, _, delta in sink.heard)


class TestDeterminism:
    SETTINGS = tuple(HouseholdSettings(f"h{at}", 3.5e6, 2 + at % 3) for at in range(3))

    def run(self, settings: Sequence[HouseholdSettings], begin: int, hours: float) -> Listener:
        env, sink, _ = start(settings, begin)
        env.run(begin + int(hours * 3600) * NS_PER_SECOND)
        return sink

    def test_same_seed_same_changes(self):
        begin = CALENDAR.utc_ns(WORKDAY, 6 * 3600.0)
        assert self.run(self.SETTINGS, begin, 6).heard == self.run(self.SETTINGS, begin, 6).heard

    def test_other_seed_other_changes(self):
        begin = CALENDAR.utc_ns(WORKDAY, 6 * 3600.0)
        env, sink, _ = start(self.SETTINGS, begin, seed=2)
        env.run(begin + 3600 * NS_PER_SECOND)
        assert sink.heard != self.run(self.SETTINGS, begin, 1).heard

    def test_neighbours_and_order_change_nothing(self):
        begin = CALENDAR.utc_ns(WORKDAY, 6 * 3600.0)
        alone = self.run(self.SETTINGS[1:2], begin, 6)
        among = self.run(self.SETTINGS[::-1], begin, 6)
        assert [heard[1:] for heard in among.heard if heard[0] == 1] == [heard[1:] for heard in alone.heard]

    def test_a_new_appliance_leaves_the_others_their_ratings(self):
        plain, more = (
            Household(
                HouseholdSettings("h", 5e6, 3, additional=extra),
                orders=(1,),
                calendar=CALENDAR,
                rng=random_stream(5, "h"),
            )
            for extra in ((), ("electric_shower",))
        )
        ratings = {unit.name: unit.device.draws[0].p for unit in more.units}
        assert set(ratings) - {unit.name for unit in plain.units} == {"electric_shower"}
        assert all(ratings[unit.name] == unit.device.draws[0].p for unit in plain.units)

    def test_streams_are_their_own(self):
        first = random_stream(1, "a").random(4)
        assert (random_stream(1, "b").random(4) != first).all()
        assert (random_stream(2, "a").random(4) != first).all()
        # The rule itself: SHA-256 of "1/a" begins with these bytes (sha256sum).
        key = int.from_bytes(bytes.fromhex("bf1d987701909d7b3e5e755f79d999a5"), "little")
        assert (np.random.Generator(np.random.Philox(key=key)).random(4) == first).all()


class TestWarmStart:
    def test_starting_at_noon_is_having_run_since_midnight(self):
        settings = TestDeterminism.SETTINGS
        midnight, noon = CALENDAR.utc_ns(WORKDAY, 0.0), CALENDAR.utc_ns(WORKDAY, 43_200.0)
        long_env, long, _ = start(settings, midnight)
        long_env.run(noon + 1)
        short_env, short, _ = start(settings, noon)
        short_env.run(noon + 1)
        assert (long.p == short.p).all()
        assert (long.q == short.q).all()
        assert (long.emission == short.emission).all()
        counts = len(long.heard), len(short.heard)
        long_env.run(noon + 3600 * NS_PER_SECOND)
        short_env.run(noon + 3600 * NS_PER_SECOND)
        later = sorted(long.heard[counts[0] :]), sorted(short.heard[counts[1] :])
        assert later[0] == later[1]

    def test_some_compressors_run_at_the_start(self):
        begin = CALENDAR.utc_ns(WORKDAY, 3 * 3600.0)
        settings = [HouseholdSettings(f"h{at}", 3.5e6, 2) for at in range(40)]
        _, sink, _ = start(settings, begin)
        running = sum(cause.endswith("fridge cool") for _, _, cause, _ in sink.heard)
        # 14 of 47 minutes in the mean: 12 of 40, standard deviation 2.9.
        assert 3 <= running <= 21
        assert (sink.p > 20.0).all()


class TestExactness:
    def test_totals_return(self):
        begin = CALENDAR.utc_ns(WORKDAY, 0.0)
        owned = ("kettle", "microwave", "iron", "vacuum_cleaner")
        env, sink, _ = start([HouseholdSettings("h", 4e5, 4, appliances=owned)], begin)
        rest = {"p": sink.p[0], "emission": sink.emission[0].copy()}
        seen = set()
        while env.peek() < begin + 5 * DAY_NS:
            env.step()
            if abs(sink.p[0] - rest["p"]) < 1e-3:
                assert sink.p[0] == rest["p"]
                assert (sink.emission[0] == rest["emission"]).all()
                seen.add(len(sink.heard))
        assert len(seen) > 20

    def test_sum_of_changes_is_the_sum_of_states(self):
        begin = CALENDAR.utc_ns(WORKDAY, 0.0)
        env, sink, houses = start([HouseholdSettings("h", 4e6, 4)], begin)
        env.run(begin + DAY_NS)
        p, q = 0.0, 0.0
        for unit in houses[0].units:
            position = -1
            for at, following in houses[0].changes(unit, begin):
                if at >= begin + DAY_NS:
                    break
                position = following
            p += unit.device.draws[position].p
            q += unit.device.draws[position].q
        assert sink.p[0] == p
        assert sink.q[0] == q


class TestMisuse:
    def make(self, **settings) -> Household:
        return Household(
            HouseholdSettings(name="house 7", **settings),
            orders=(1,),
            calendar=CALENDAR,
            rng=random_stream(1, "x"),
        )

    def test_unknown_appliance(self):
        with pytest.raises(HouseholdError, match=r"house 7: unknown appliance 'ketle'; known: .*kettle"):
            self.make(annual_energy=1e6, appliances=("ketle",))

    def test_too_little_energy(self):
        with pytest.raises(HouseholdError, match="100 kWh a year do not fit what runs by itself"):
            self.make(annual_energy=1e5, appliances=("freezer", "kettle"))

    def test_too_much_energy(self):
        with pytest.raises(HouseholdError, match=r"times the usual number of uses; .* 'electric_shower'"):
            self.make(annual_energy=60e6)

    def test_little_energy_forgoes_the_freezer(self):
        names = [
            {unit.name for unit in self.make(annual_energy=energy).units if unit.device.kind.forgone}
            for energy in (0.7e6, 6e6)
        ]
        assert not names[0]
        assert names[1]

    def test_three_phases_share_the_appliances(self):
        env = simpy.Environment(initial_time=CALENDAR.utc_ns(WORKDAY, 19 * 3600.0))
        sink = Listener(3)
        start_household(
            env,
            sink,
            load=(0, 1, 2),
            settings=HouseholdSettings("h", 4e6, 3),
            orders=ORDERS,
            calendar=CALENDAR,
            rng=random_stream(1, "h"),
        )
        env.run(env.now + 6 * 3600 * NS_PER_SECOND)
        assert {load for load, *_ in sink.heard} == {0, 1, 2}
