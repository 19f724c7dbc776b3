"""Parts of a sweep without processes: chunks, indices, balances, the ledger's claim."""

import pytest

from tests.sites import SCENARIO, write_site
from tests.sweeps.sweeping import write_sweep
from twin.contracts import EventRecord
from twin.scenario import load_scenario
from twin.sweeps import SweepError, Variant, read_plan
from twin.sweeps.chunks import Chunks
from twin.sweeps.dataset import open_dataset
from twin.sweeps.running import Outcome, sarfi


def chunks(count):
    return Chunks(Variant(number, f"{number:016x}", (), ()) for number in range(count))


def numbers(chunk):
    return [variant.number for variant in chunk]


def test_chunks_are_a_second_of_work_or_more_once_that_is_known():
    work = chunks(1000)
    assert numbers(work.take(2)) == [0]
    work.learn([Outcome(0, 0.01, {}, [])])
    assert numbers(work.take(2)) == list(range(1, 151))
    work.learn([Outcome(1, 0.5, {}, [])])
    assert 2 <= len(work.take(2)) <= 10
    slow = chunks(10)
    slow.learn([Outcome(0, 60.0, {}, [])])
    assert numbers(slow.take(2)) == [0]


def test_chunks_become_small_towards_the_end_and_nothing_is_left_out():
    work, workers = chunks(100), 4
    work.learn([Outcome(0, 1e-4, {}, [])])
    sizes, seen = [], []
    while chunk := work.take(workers):
        sizes.append(len(chunk))
        seen += numbers(chunk)
    assert seen == list(range(100))
    assert sizes[0] == 100 // 8
    assert sizes[-1] == 1


def test_what_died_together_is_run_alone_and_given_up_at_the_third_death():
    work = chunks(3)
    work.learn([Outcome(0, 0.1, {}, [])])
    both = [*work.take(1), *work.take(1)]
    assert work.died(both, "SIGSEGV") == []
    guilty = work.take(1)
    assert numbers(guilty) == [0]
    assert work.died(guilty, "SIGSEGV") == []
    assert numbers(work.take(1)) == [1]
    assert work.died(work.take(1), "SIGSEGV") == []
    (outcome,) = work.died(work.take(1), "SIGSEGV")
    assert (outcome.number, outcome.failed) == (0, True)
    assert outcome.result["error"] == "the worker died 3 times in it (SIGSEGV)"
    assert numbers(work.take(1)) == [2]
    assert work.left == 0


def sag(meter, percent, number=1, kind="sag"):
    return EventRecord(meter, number, kind, "a", 0, 0, None, percent, 90.0, 100.0)


def test_sarfi_counts_sags_below_a_level_per_meter_that_watches(tmp_path):
    scenario = load_scenario(write_site(tmp_path))
    events = [sag("head", 89.0), sag("home", 40.0), sag("home", 70.0, 2), sag("home", 120.0, 3, "swell")]
    assert sarfi(scenario, events, 90.0) == 3 / 2
    assert sarfi(scenario, events, 70.0) == 1 / 2
    assert sarfi(scenario, [], 70.0) == 0.0


def test_sarfi_is_unknown_where_a_meter_would_not_record(tmp_path):
    text = SCENARIO.replace("    ct: 50:5", "    ct: 50:5\n    sag: {threshold: 80 %}")
    scenario = load_scenario(write_site(tmp_path, scenario=text))
    assert sarfi(scenario, [], 90.0) is None
    assert sarfi(scenario, [], 70.0) == 0.0
    text = SCENARIO.replace("profile: kw320q", "profile: kw320")
    scenario = load_scenario(write_site(tmp_path, scenario=text))
    assert sarfi(scenario, [], 70.0) is None


def test_two_sweeps_cannot_write_the_same_results(tmp_path):
    plan = read_plan(*write_sweep(tmp_path))
    with (
        open_dataset(tmp_path / "out", plan, resume=False),
        pytest.raises(SweepError, match="a sweep is running there"),
        open_dataset(tmp_path / "out", plan, resume=True),
    ):
        pass
    with open_dataset(tmp_path / "out", plan, resume=True) as dataset:
        assert dataset.hashes == {}


def test_results_are_written_in_runs_of_neighbours(tmp_path):
    plan = read_plan(*write_sweep(tmp_path))
    outcomes = [Outcome(number, 1.0, {"content_hash": f"{number}"}, []) for number in (7, 2, 3)]
    with open_dataset(tmp_path / "out", plan, resume=False) as dataset:
        dataset.add(outcomes)
    parts = ["part-00000002-00000003", "part-00000007-00000007"]
    for folder, kind in (("variants", "parquet"), ("events", "parquet"), ("ledger", "json")):
        assert sorted(path.name for path in (tmp_path / "out" / folder).iterdir()) == [
            f"{part}.{kind}" for part in parts
        ]
    with open_dataset(tmp_path / "out", plan, resume=True) as dataset:
        assert dataset.hashes == {2: "2", 3: "3", 7: "7"}
