"""The shipped SimBench scenario, imported as its head says: one simulated day of real profiles."""

import importlib.util
import math
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from twin.contracts import BadInputError
from twin.recording import Recording
from twin.scenario import load_scenario
from twin.simulation import build_site

SHIPPED = Path(__file__).parents[2] / "scenarios" / "simbench-week.yaml"
CODE = "1-LV-semiurb4--0-no_sw"
S = 10**9
QUARTER_H = 0.25


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    if importlib.util.find_spec("simbench") is None:
        pytest.skip("needs the extra 'simbench'")
    from twin.grid.importers.simbench_net import import_simbench

    folder = tmp_path_factory.mktemp("simbench")
    import_simbench(CODE, folder / "data" / "simbench" / CODE)
    path = folder / "scenarios" / SHIPPED.name
    path.parent.mkdir()
    path.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    return path


def profile_power(path, start_ns, end_ns):
    """Read the file with pyarrow alone; gives the site's power in each quarter of an hour [W]."""
    table = pq.read_table(path.parents[1] / "data" / "simbench" / CODE / "profiles.parquet")
    start = table["start_ns"]
    table = table.filter(pc.and_(pc.greater_equal(start, start_ns), pc.less(start, end_ns)))
    names = [name for name in table.column_names if name.endswith(".p_w")]
    return [sum(row[name] for name in names) for row in table.to_pylist()]


@pytest.mark.slow
def test_a_day_on_real_profiles(scenario, tmp_path):
    site = load_scenario(scenario, duration_s=86400.0)
    with build_site(site) as built:
        built.record_to(tmp_path / "day", overwrite=False)
        built.engine.advance_to(site.end_ns)
        assert built.engine.site.solves >= 96
    profile = Recording.open(tmp_path / "day").load_profile("head")
    measured = profile.values["p_imp_wh"] - profile.values["p_exp_wh"]
    drawn = profile_power(scenario, site.start_ns, site.end_ns)
    assert len(measured) == len(drawn) == 96
    # What enters at the head is what the loads draw and the lines lose: some percent, never less.
    for wh, watts in zip(measured, drawn, strict=True):
        assert watts * QUARTER_H < wh < 1.06 * watts * QUARTER_H


def test_without_its_data_the_scenario_says_how_to_get_them(tmp_path):
    path = tmp_path / "simbench-week.yaml"
    path.write_text(SHIPPED.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(BadInputError, match=r"import it \(twin import simbench CODE --out DIR\)"):
        load_scenario(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "profiles.parquet"),
        (b"PAR1 but nothing behind it", "profiles.parquet"),
    ],
)
def test_an_unreadable_profile_is_named(scenario, content, message):
    path = scenario.parents[1] / "data" / "simbench" / CODE / "profiles.parquet"
    whole = path.read_bytes()
    try:
        path.write_bytes(content)
        with pytest.raises(BadInputError, match=message):
            build_site(load_scenario(scenario))
    finally:
        path.write_bytes(whole)


@pytest.mark.slow
def test_the_head_equals_the_sum_of_its_feeders(scenario):
    ideal = scenario.with_name("ideal.yaml")
    ideal.write_text(scenario.read_text().replace("profile: kw320q", "profile: kw320q\n    accuracy: ideal"))
    site = load_scenario(ideal, duration_s=900.0)
    with build_site(site) as built:
        built.engine.advance_to(site.end_ns)
        fleet = built.engine.fleet
        shown = {meter.config.name: fleet.decode(at, fleet.words(at)) for at, meter in enumerate(site.meters)}
    feeders = [shown[name] for name in ("commercial feeder", "west feeder", "east feeder")]
    for quantity in ("p_sum", "q_sum"):
        in_all = math.fsum(feeder[quantity] for feeder in feeders)
        assert math.isclose(shown["head"][quantity], in_all, rel_tol=1e-6)
    assert all(feeder["p_sum"] > 0 for feeder in feeders)
    assert all(math.isclose(shown["head"]["v1"], feeder["v1"], rel_tol=1e-6) for feeder in feeders)
