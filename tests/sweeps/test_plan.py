"""Parameter files: what is planned from good ones, and what is found in others."""

import pytest

from tests.sites import NETWORK, SCENARIO
from tests.sweeps.sweeping import PARAMETERS, VARIANTS, write_sweep
from twin.contracts import BadInputError
from twin.sweeps import SweepError, read_plan


def findings(folder, parameters, **options):
    site = {key: options.pop(key) for key in ("scenario", "network") if key in options}
    with pytest.raises(BadInputError) as caught:
        read_plan(*write_sweep(folder, parameters, **site), **options)
    return [(item.where.line, item.field, f"{item.what}; {item.mend}") for item in caught.value.findings]


def one(folder, entry, **options):
    """Return the one finding of a grid's only parameter."""
    (found,) = findings(folder, f"version: 1\ngrid:\n  p: {entry}\n", **options)
    return found


def test_grid_together_and_random_multiply(tmp_path):
    plan = read_plan(*write_sweep(tmp_path))
    rows = [variant.parameters for variant in plan.variants]
    assert len(rows) == VARIANTS
    assert [variant.number for variant in plan.variants] == list(range(VARIANTS))
    assert [column.name for column in plan.columns] == ["bus", "type", "phases", "resistance", "at", "length"]
    assert [row[:3] for row in rows[::3]] == [
        ("HOME", "slg", "a"), ("HOME", "3ph", "abc"), ("MAIN", "slg", "a"), ("MAIN", "3ph", "abc"),
    ]  # fmt: skip
    # Every combination meets the same draws.
    assert {row[3:] for row in rows[:3]} == {row[3:] for row in rows[9:]}
    assert len({row[3:] for row in rows}) == 3
    assert plan.meters == ("head", "home")
    assert [(column.kind, column.unit) for column in plan.columns[2:]] == [
        ("text", ""), ("real", "ohm"), ("text", ""), ("real", ""),
    ]  # fmt: skip


def test_keys_follow_parameters_and_files_but_not_their_place(tmp_path):
    def keys(name, parameters=PARAMETERS, **site):
        folder = tmp_path / name
        folder.mkdir()
        return [variant.key for variant in read_plan(*write_sweep(folder, parameters, **site)).variants]

    first = keys("a")
    assert len(set(first)) == VARIANTS
    assert keys("b") == first
    assert keys("c", PARAMETERS.replace("title: Faults on the little site", "title: Other")) == first
    swapped = keys("d", PARAMETERS.replace("[HOME, MAIN]", "[MAIN, HOME]"))
    assert swapped == [*first[6:], *first[:6]]
    assert not set(keys("e", scenario=SCENARIO.replace("ct: 100:5", "ct: 200:5"))) & set(first)
    assert not set(keys("f", network=NETWORK.replace("3000", "3001"))) & set(first)
    assert not set(keys("g", PARAMETERS.replace("6 min", "7 min"))) & set(first)


def test_the_plan_knows_the_balance_and_names_too(tmp_path):
    scenario, over = write_sweep(tmp_path)
    plan = read_plan(scenario, over)
    over.write_text(PARAMETERS.replace("[home]", "[head]"), encoding="utf-8")
    other = read_plan(scenario, over)
    assert [variant.key for variant in other.variants] == [variant.key for variant in plan.variants]
    assert other.hash != plan.hash


@pytest.mark.parametrize(
    ("entry", "line", "field", "text"),
    [
        ("{path: 'evnts[0].bus', values: [1]}", 3, "grid.p.path", "there is no list to take entry 0 of"),
        ("{path: 'events[F2].bus', values: [1]}", 3, "grid.p.path", "did you mean 'F1'?"),
        ("{path: 'meters[head].cct', values: [1]}", 3, "grid.p.path", "unknown field; did you mean 'ct'?"),
        ("{path: 'network.lines[CABLE3].length_m', values: [1]}", 3, "grid.p.path", "no entry 'CABLE3'"),
        ("{path: 'network.lines[CABLE2].lenght_m', values: [1]}", 3, "grid.p.path", "unknown field"),
        ("{path: 'network.loads', values: [1]}", 3, "grid.p.path", "leads to a list"),
        ("{path: 'events[F1].resistance', values: [1 ohm, 5]}", 3, "grid.p.values[1]", "5: 5 has no unit"),
        ("{path: 'events[F1].bus', values: [HOME, HOMR]}", 3, "grid.p.values[1]", "did you mean 'HOME'?"),
        ("{path: 'network.lines[CABLE2].length_m', values: [-5]}", 3, "grid.p.values[0]", "-5: "),
        ("{path: 'network.lines[CABLE2].length_m', values: [5 m]}", 3, "grid.p.values[0]", "no plain number"),
        ("{path: seed, values: [1, 2, 1]}", 3, "grid.p.values[2]", "1 stands twice"),
        ("{path: seed, values: []}", 3, "grid.p.values", "at least 1 item"),
        ("{path: seed, range: [3, 1]}", 3, "grid.p.range", "range [3, 1] is empty"),
        ("{path: seed, range: [1, 3], values: [1]}", 3, "grid.p", "give one of values, range and steps"),
        ("{path: 'events[1].at', steps: {first: '18:01', last: 5 V, count: 3}}", 3, "grid.p.steps", "kind"),
        ("{path: seed, range: [1, 200]}", 0, "", "these are 200 variants, more than 100; take fewer"),
    ],
)  # fmt: skip
def test_findings(tmp_path, entry, line, field, text):
    found = one(tmp_path, entry, limit=100)
    assert found[:2] == (line, field)
    assert text in found[2]


def test_a_cause_elsewhere_is_told_with_the_variant(tmp_path):
    # The fault's bus is fine by itself; that it has no phase a follows from the network.
    found = findings(tmp_path, "version: 1\ngrid:\n  p: {path: 'meters[home].name', values: [home, head]}\n")
    assert len(found) == 1
    assert "'head' is already the name of a meter" in found[0][2]
    (found,) = findings(
        tmp_path, "version: 1\ngrid:\n  p: {path: 'network.lines[CABLE1].name', values: [CABLE1, C1]}\n"
    )
    assert found[:2] == (1, "")
    assert "with p C1: meters[0].at.branch: there is no branch 'CABLE1'" in found[2]


def test_findings_of_the_file_as_a_whole(tmp_path):
    text = PARAMETERS.replace("values: [slg, 3ph]", "values: [slg]").replace(
        "[1 mohm, 1 ohm]", "[1 ohm, 1 mohm]"
    )
    assert [item[:2] for item in findings(tmp_path, text)] == [
        (8, "together.phases"), (10, "random.resistance.log_uniform"),
    ]  # fmt: skip
    text = PARAMETERS.replace("  length:", "  key:").replace("events[1].at", "events[F1].type")
    assert [(item[0], item[1]) for item in findings(tmp_path, text)] == [
        (11, "random.at.path"), (12, "random.key"),
    ]  # fmt: skip
    text = PARAMETERS.replace("[home]", "[house]")
    assert findings(tmp_path, text) == [
        (15, "balance.delivered[0]", "there is no meter 'house'; did you mean 'home'?")
    ]
    assert "varies nothing" in findings(tmp_path, "version: 1\n")[0][2]
    assert "unknown field" in findings(tmp_path, "version: 1\ngird: {}\n")[0][2]


def test_what_many_variants_have_in_common_is_told_once(tmp_path):
    text = "version: 1\nrandom:\n  seed: {path: seed, integers: [1, 1000]}\n"
    text += "  r: {path: 'events[0].resistance', uniform: [1 mohm, 1 ohm]}\ncount: 40\n"
    assert findings(tmp_path, text) == [
        (4, "random.r.path", "events[0].resistance: unknown field; did you mean 'switch'?")
    ]
    text = (
        "version: 1\nrandom:\n  x: {path: 'network.lines[CABLE1].length_m', uniform: [-9, -1]}\ncount: 40\n"
    )
    (found,) = findings(tmp_path, text)
    assert found[:2] == (3, "random.x")


def test_too_many_are_counted_before_any_is_made(tmp_path):
    text = "version: 1\ngrid:\n  p: {path: seed, range: [1, 1000000000]}\n"
    text += "  q: {path: duration, steps: {first: 1 s, last: 2 s, count: 1000}}\n"
    assert "1000000000000 variants" in findings(tmp_path, text)[0][2]


def test_findings_of_the_scenario_come_first(tmp_path):
    (found,) = findings(tmp_path, PARAMETERS, scenario=SCENARIO.replace("seed: 7", "seed: -7"))
    assert found[:2] == (4, "seed")


def test_files_must_be_named_relative_to_the_scenario(tmp_path):
    scenario, over = write_sweep(tmp_path)
    text = SCENARIO.replace("network.yaml", str(tmp_path / "network.yaml"))
    scenario.write_text(text, encoding="utf-8")
    with pytest.raises(SweepError, match="absolute path; give it relative to the scenario"):
        read_plan(scenario, over)


def test_files_above_the_scenario_travel_too(tmp_path):
    (tmp_path / "deep" / "scenarios").mkdir(parents=True)
    scenario, over = write_sweep(tmp_path / "deep" / "scenarios", scenario=SCENARIO.replace(
        "network.yaml", "../../networks/n.yaml"))  # fmt: skip
    (tmp_path / "networks").mkdir()
    (scenario.parent / "network.yaml").rename(tmp_path / "networks" / "n.yaml")
    bundle = read_plan(scenario, over).bundle
    assert bundle.scenario == "deep/scenarios/scenario.yaml"
    assert sorted(bundle.files) == ["deep/scenarios/scenario.yaml", "networks/n.yaml"]
    assert read_plan(bundle.unpack(tmp_path / "other"), over).bundle == bundle
