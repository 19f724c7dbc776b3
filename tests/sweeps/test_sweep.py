"""Whole sweeps with real processes: the same results however they are run, whoever is killed."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import psutil
import pytest

from tests.sites import NETWORK, SCENARIO, write_site
from tests.sweeps.sweeping import VARIANTS, command, sweep, wait_for, write_sweep
from twin.recording import Recording


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """Return scenario, parameters, results and summary of a sweep by two workers."""
    folder = tmp_path_factory.mktemp("swept")
    scenario, over = write_sweep(folder)
    code, told, err = sweep(scenario, over, folder / "out", "--workers", 2)
    assert (code, err) == (0, "")
    return scenario, over, folder / "out", told


def variants(out):
    return pd.read_parquet(out / "variants")


def test_what_is_printed(swept):
    *_, out, told = swept
    assert set(told) == {"title", "variants", "failed", "seconds", "results_hash", "plan", "out"}
    assert (told["title"], told["variants"], told["failed"]) == ("Faults on the little site", VARIANTS, 0)
    assert told["out"] == str(out)


def test_a_variant_is_what_twin_run_makes_of_it(swept, tmp_path):
    *_, out, _ = swept
    row = variants(out).iloc[10]
    assert (row["bus"], row["type"], row["phases"]) == ("MAIN", "3ph", "abc")
    fault = SCENARIO.replace("bus: HOME", "bus: MAIN").replace("type: slg", "type: 3ph")
    fault = fault.replace("phases: a\n", "phases: abc\n").replace("18:05:00.003", row["at"])
    fault = fault.replace("50 mohm", f"{float(row['resistance'])!r} ohm")
    network = NETWORK.replace("HOME, cable, 200]", f"HOME, cable, {float(row['length'])!r}]")
    scenario = write_site(tmp_path, scenario=fault, network=network)
    done = subprocess.run(
        [sys.executable, "-m", "twin.cli", "run", scenario, "--out", tmp_path / "run", "--duration", "6 min",
         "--json"],
        capture_output=True, text=True, check=True, timeout=100,
    )  # fmt: skip
    run = json.loads(done.stdout)
    assert row["content_hash"] == run["content_hash"]
    assert row["simulated_s"] == run["simulated_s"] == 360.0
    for meter in run["meters"]:
        for key in (
            "import_wh",
            "export_wh",
            "max_demand_w",
            "v_min",
            "v_max",
            "events",
            "alarms",
            "captures",
        ):
            found = row[f"{meter['name']}.{key}"]
            assert found == meter[key] or (meter[key] is None and pd.isna(found))
    head, home = run["meters"]
    net = [meter["import_wh"] - meter["export_wh"] for meter in (head, home)]
    assert row["balance_wh"] == net[0] - net[1] > 0

    recorded = Recording.open(tmp_path / "run").events()
    events = pd.read_parquet(out / "events").query("variant == 10")
    assert len(events) == len(recorded) == row["events"] > 0
    assert list(events["start"].astype("int64")) == [event.start_ns for event in recorded]
    assert list(events["extreme"]) == [event.extreme for event in recorded]
    sags = [100 * event.extreme / event.rated for event in recorded if event.type == "sag"]
    assert row["deepest_sag_percent"] == min(sags)
    assert row["sarfi_90"] == sum(sag < 90 for sag in sags) / 2
    assert row["sarfi_70"] == sum(sag < 70 for sag in sags) / 2


def test_duckdb_reads_it_as_a_whole(swept):
    *_, out, _ = swept
    rows = duckdb.sql(f"""
        SELECT v.bus, count(DISTINCT v.key), min(e.extreme_percent), min(v.deepest_sag_percent)
        FROM '{out}/variants/*.parquet' v JOIN '{out}/events/*.parquet' e USING (variant, key)
        WHERE e.type = 'sag' GROUP BY v.bus ORDER BY v.bus
    """).fetchall()
    assert [row[:2] for row in rows] == [("HOME", 6), ("MAIN", 6)]
    assert all(row[2] == row[3] for row in rows)
    types = dict(
        duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE '{out}/variants/*.parquet')").fetchall()
    )
    assert types["resistance"] == types["length"] == types["balance_wh"] == "DOUBLE"
    assert types["bus"] == types["at"] == "VARCHAR"
    assert types["sags"] == types["variant"] == "BIGINT"
    ((order,),) = duckdb.sql(f"SELECT list(variant) FROM '{out}/variants/*.parquet'").fetchall()
    assert sorted(order) == list(range(VARIANTS))


def test_the_manifest_names_every_file_and_column(swept):
    *_, out, told = swept
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["plan"], manifest["results_hash"]) == (told["plan"], told["results_hash"])
    for name, table in manifest["tables"].items():
        assert table["files"] == sorted(path.name for path in (out / name).iterdir())
        found = pd.read_parquet(out / name)
        assert [column["name"] for column in table["columns"]] == list(found.columns)
    by_name = {column["name"]: column for column in manifest["tables"]["variants"]["columns"]}
    assert by_name["resistance"] == {
        "name": "resistance", "kind": "real", "unit": "ohm", "description": "events[1].resistance",
    }  # fmt: skip


def test_one_worker_finds_the_same(swept, tmp_path):
    scenario, over, out, told = swept
    code, alone, _ = sweep(scenario, over, tmp_path / "out", "--workers", 1)
    assert (code, alone["results_hash"]) == (0, told["results_hash"])
    timed = ["seconds"]
    pd.testing.assert_frame_equal(
        variants(tmp_path / "out").drop(columns=timed), variants(out).drop(columns=timed)
    )
    pd.testing.assert_frame_equal(
        pd.read_parquet(tmp_path / "out" / "events"), pd.read_parquet(out / "events")
    )


def test_a_killed_worker_costs_only_its_task(swept, tmp_path):
    scenario, over, _, told = swept
    out = tmp_path / "out"
    with subprocess.Popen(
        [*command(scenario, over, out, "--workers", 2), "--json"], stdout=subprocess.PIPE, text=True
    ) as process:
        wait_for(lambda: list(out.glob("ledger/*.json")), "nothing is done")
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 2
        victim = workers[0].pid
        os.kill(victim, signal.SIGKILL)
        result = json.loads(process.communicate(timeout=100)[0])
    assert process.returncode == 0
    assert (result["failed"], result["results_hash"]) == (0, told["results_hash"])


def test_resume_after_a_kill_runs_only_what_is_not_done(swept, tmp_path):
    scenario, over, _, told = swept
    out = tmp_path / "out"
    with subprocess.Popen(command(scenario, over, out, "--workers", 2), stdout=subprocess.DEVNULL) as process:
        wait_for(lambda: list(out.glob("ledger/*.json")), "nothing is done")
        workers = psutil.Process(process.pid).children()
        process.kill()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert not alive, "workers outlive their parent"
    done = {path.stem: (out / "variants" / f"{path.stem}.parquet").stat().st_mtime_ns
            for path in out.glob("ledger/*.json")}  # fmt: skip
    # What a kill between the files of a chunk leaves: a table that the ledger does not name, half a file.
    (out / "variants" / "part-00000011-00000011.parquet").write_bytes(b"stale")
    (out / "ledger" / ".part-00000011-00000011.json.tmp").write_bytes(b"{")
    assert not (out / "manifest.json").exists()

    code, _, err = sweep(scenario, over, out)
    assert (code, "holds a sweep; go on with --resume" in err) == (2, True)
    code, result, err = sweep(scenario, over, out, "--resume")
    assert (code, err) == (0, "")
    assert result["results_hash"] == told["results_hash"]
    assert list(variants(out)["variant"]) == list(range(VARIANTS))
    for stem, written in done.items():
        assert (out / "variants" / f"{stem}.parquet").stat().st_mtime_ns == written
    assert not list(out.glob("*/.*"))

    other = tmp_path / "other.yaml"
    other.write_text(Path(over).read_text().replace("seed: 5", "seed: 6"))
    code, _, err = sweep(scenario, other, out, "--resume")
    assert (code, "holds the results of another plan" in err) == (2, True)


def test_interrupted_it_says_how_to_go_on(swept, tmp_path):
    scenario, over, *_ = swept
    out = tmp_path / "out"
    with subprocess.Popen(
        command(scenario, over, out, "--workers", 1),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        wait_for(lambda: list(out.glob("ledger/*.json")), "nothing is done")
        workers = psutil.Process(process.pid).children()
        assert len(workers) == 1
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "done; go on with --resume" in err
    assert "Traceback" not in err
    assert not any(worker.is_running() for worker in workers)


def test_a_failed_variant_is_a_row_with_its_reason(tmp_path):
    scenario, over = write_sweep(
        tmp_path,
        "version: 1\nduration: 1 min\n"
        'grid: {length: {path: "network.lines[CABLE2].length_m", values: [200, 40000]}}\n',
    )
    code, told, err = sweep(scenario, over, tmp_path / "out", "--workers", 1)
    assert (code, told["failed"]) == (1, 1)
    assert "1 variants failed; the column 'error' says why" in err
    good, bad = variants(tmp_path / "out").to_dict("records")
    assert good["error"] is None
    assert bad["error"].startswith("BadInputError: ")
    assert "collapse" in bad["error"] or "converge" in bad["error"]
    assert "/twin-sweep-" not in bad["error"]
    assert bad["content_hash"] is None
    assert pd.isna(bad["head.import_wh"])
    # The same again: failed variants are done.
    code, again, _ = sweep(scenario, over, tmp_path / "out", "--resume")
    assert (code, again["results_hash"]) == (1, told["results_hash"])


@pytest.mark.parametrize("occupied", ["a file", "other things"])
def test_the_place_of_the_results_must_be_free(tmp_path, occupied):
    scenario, over = write_sweep(tmp_path)
    out = tmp_path / "out"
    if occupied == "a file":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine").write_text("mine")
    code, _, err = sweep(scenario, over, out)
    assert (code, f"{out}: is not empty; choose a new one" in err) == (2, True)
    code, _, err = sweep(scenario, over, tmp_path / "none", "--resume")
    assert (code, "holds no sweep to go on with" in err) == (2, True)
    code, told, err = sweep(scenario, over, out, "--workers", 0)
    assert (code, told["findings"][0]["field"]) == (2, "--workers")
