"""Loads that follow a table: what the sink hears, and what is said of a bad file."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import simpy

from twin.contracts import NS_PER_SECOND, BadInputError
from twin.simulation.profiles import read_profiles, start_profiles

QUARTER_NS = 900 * NS_PER_SECOND
ORDERS = (1, 3, 5)
START_NS = 1_768_348_800 * NS_PER_SECOND  # 2026-01-14 00:00 UTC


def table(rows: int = 8, **change: object) -> dict[str, object]:
    columns: dict[str, object] = {
        "start_ns": START_NS + np.arange(rows) * QUARTER_NS,
        "shop.p_w": 1000.0 + 100.0 * np.arange(rows),
        "shop.q_var": np.full(rows, 250.0),
        "mill.p_w": np.full(rows, 300.0),
        "mill.q_var": np.full(rows, -30.0),
    }
    return {name: values for name, values in (columns | change).items() if values is not None}


def parquet(path: Path, columns: dict[str, object]) -> Path:
    pq.write_table(pa.table(columns), path / "profiles.parquet")
    return path / "profiles.parquet"


def csv(path: Path, columns: dict[str, object]) -> Path:
    lines = [",".join(columns)]
    lines += [",".join(str(value) for value in row) for row in zip(*columns.values(), strict=True)]
    (path / "profiles.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path / "profiles.csv"


class Listener:
    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self.p, self.q = np.zeros(4), np.zeros(4)
        self.emission = np.zeros((4, 3), dtype=complex)
        self.log: list[tuple[list[int], int]] = []

    def shift(self, loads, delta_p, delta_q, delta_emission):
        assert len(set(loads.tolist())) == loads.size
        if delta_emission is not None:
            self.emission[loads] += delta_emission
        assert ((delta_p != 0) | (delta_q != 0)).all()
        self.p[loads] += delta_p
        self.q[loads] += delta_q
        self.log.append((loads.tolist(), self.env.now - START_NS))


def run(
    file: Path, loads: dict[str, tuple[int, ...]], *, begin: int = 0, quarters: int = 8, ratios=None
) -> Listener:
    env = simpy.Environment(initial_time=START_NS + begin)
    sink = Listener(env)
    end_ns = START_NS + quarters * QUARTER_NS
    start_profiles(env, sink, file, loads=loads, end_ns=end_ns, ratios=ratios or {}, orders=ORDERS)
    env.run(end_ns)
    return sink


@pytest.mark.parametrize("write", [parquet, csv])
class TestFollowing:
    def test_trace(self, tmp_path, write):
        sink = run(write(tmp_path, table()), {"shop": (1,), "mill": (0,)})
        assert sink.log == [([1, 0], 0), *(([1], at * QUARTER_NS) for at in range(1, 8))]
        assert sink.p.tolist() == [300.0, 1700.0, 0.0, 0.0]
        assert sink.q.tolist() == [-30.0, 250.0, 0.0, 0.0]

    def test_starts_within_a_row(self, tmp_path, write):
        sink = run(write(tmp_path, table()), {"shop": (0,)}, begin=2 * QUARTER_NS + 5, quarters=4)
        assert sink.log == [([0], 2 * QUARTER_NS + 5), ([0], 3 * QUARTER_NS)]
        assert sink.p[0] == 1300.0

    def test_state_is_there_before_the_first_step(self, tmp_path, write):
        env = simpy.Environment(initial_time=START_NS + QUARTER_NS)
        sink = Listener(env)
        file = write(tmp_path, table())
        start_profiles(
            env, sink, file, loads={"shop": (0,)}, end_ns=START_NS + 2 * QUARTER_NS, ratios={}, orders=ORDERS
        )
        assert sink.p[0] == 1100.0

    def test_phases_share(self, tmp_path, write):
        sink = run(write(tmp_path, table()), {"mill": (0, 1, 2)})
        assert sink.p.tolist() == [100.0, 100.0, 100.0, 0.0]
        assert sink.q.tolist() == [-10.0, -10.0, -10.0, 0.0]

    def test_harmonics_follow_the_load(self, tmp_path, write):
        """Each order keeps its share and its angle against the fundamental current."""
        third = 0.2 * np.exp(0.3j)
        ratios = {"shop": np.array([0, third, 0])}
        sink = run(write(tmp_path, table()), {"shop": (1,), "mill": (0,)}, ratios=ratios)
        size, phi = math.hypot(1700.0, 250.0), math.atan2(250.0, 1700.0)
        assert sink.emission[1, 1] == pytest.approx(third * size * np.exp(-3j * phi), rel=1e-8)
        assert not sink.emission[[0, 2, 3]].any()
        assert not sink.emission[1, [0, 2]].any()


class TestExactness:
    def test_a_year_does_not_drift(self, tmp_path):
        rng = np.random.default_rng(1)
        rows = 35_040
        powers = np.round(rng.uniform(0.0, 5e4, rows), 3)
        powers[-1] = 0.0
        columns = {
            "start_ns": START_NS + np.arange(rows) * QUARTER_NS,
            "a.p_w": powers,
            "a.q_var": 0.3 * powers,
        }
        sink = run(parquet(tmp_path, columns), {"a": (0,)}, quarters=rows)
        assert sink.p[0] == 0.0
        assert sink.q[0] == 0.0


def findings(file: Path, loads=("shop",), *, begin: int = 0, quarters: int = 8) -> list[str]:
    with pytest.raises(BadInputError) as caught:
        read_profiles(file, loads, start_ns=START_NS + begin, end_ns=START_NS + quarters * QUARTER_NS)
    return [str(finding) for finding in caught.value.findings]


class TestBadFiles:
    def test_missing_columns_all_at_once(self, tmp_path):
        file = parquet(tmp_path, table(**{"shop.q_var": None}))
        found = findings(file, ("shop", "mil"))
        assert found == [
            f"{file}: shop.q_var: column is missing; add it; did you mean 'shop.p_w'?",
            f"{file}: mil.p_w: column is missing; add it; did you mean 'mill.p_w'?",
            f"{file}: mil.q_var: column is missing; add it; did you mean 'mill.q_var'?",
        ]

    def test_missing_time(self, tmp_path):
        (found,) = findings(parquet(tmp_path, table(start_ns=None)))
        assert "start_ns: column is missing" in found

    def test_nan(self, tmp_path):
        values = np.arange(8.0)
        values[[3, 5]] = np.nan, np.inf
        (found,) = findings(parquet(tmp_path, table(**{"shop.p_w": values})))
        assert "shop.p_w: row 4: has no finite number here and in 1 more rows; fill it" in found
        (found,) = findings(csv(tmp_path, table(**{"shop.p_w": values})))
        assert "profiles.csv:5: shop.p_w: has no finite number here" in found

    def test_empty_cell(self, tmp_path):
        values = pa.array([1.0, None, *[2.0] * 6])
        (found,) = findings(parquet(tmp_path, table(**{"shop.q_var": values})))
        assert "shop.q_var: row 2: has no finite number here" in found

    def test_gap(self, tmp_path):
        times = START_NS + np.array([0, 1, 2, 3, 5, 6, 7, 8]) * QUARTER_NS
        (found,) = findings(parquet(tmp_path, table(start_ns=times)))
        assert "start_ns: row 5: 1800 s after the row before, where 900 s are usual; fill the gap" in found

    def test_disorder(self, tmp_path):
        times = START_NS + np.array([0, 1, 2, 3, 3, 4, 5, 6, 7]) * QUARTER_NS
        found = findings(csv(tmp_path, table(rows=9, start_ns=times)))
        assert len(found) == 1
        assert ":6: start_ns: does not follow the row before (2026-01-14 00:45:00Z); sort" in found[0]

    @pytest.mark.parametrize(("begin", "quarters"), [(0, 9), (-1, 8)])
    def test_shorter_than_the_run(self, tmp_path, begin, quarters):
        (found,) = findings(parquet(tmp_path, table()), begin=begin, quarters=quarters)
        assert "start_ns: covers 2026-01-14 00:00:00Z to 2026-01-14 02:00:00Z, the run " in found
        assert "give a longer table or change the run" in found

    def test_one_row(self, tmp_path):
        (found,) = findings(parquet(tmp_path, table(rows=1)))
        assert "start_ns: has 1 rows; give at least two" in found

    def test_no_file(self, tmp_path):
        (found,) = findings(tmp_path / "none.parquet")
        assert found.startswith(f"{tmp_path / 'none.parquet'}: cannot be read (")
        assert found.endswith("; check the path")

    @pytest.mark.parametrize("name", ["profiles.parquet", "profiles.csv"])
    def test_no_table(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"")
        (found,) = findings(tmp_path / name)
        assert f"{name}: cannot be read (" in found

    def test_text_in_a_cell(self, tmp_path):
        values = ["1", "2", "three", "4", "5", "6", "7", "8"]
        (found,) = findings(csv(tmp_path, table(**{"shop.p_w": values})))
        assert "three" in found
        assert "Row #4" in found
        (found,) = findings(parquet(tmp_path, table(**{"shop.p_w": values})))
        assert "shop.p_w: holds string, no numbers; write it as floating-point numbers" in found

    def test_time_with_fractions(self, tmp_path):
        times = (START_NS + np.arange(8) * QUARTER_NS) / 1.0
        (found,) = findings(parquet(tmp_path, table(start_ns=times)))
        assert "start_ns: is double with 0 empty cells; write whole nanoseconds" in found
