"""A sweep on a real Dask scheduler and real workers on this host."""

import json
import subprocess
import sys
from contextlib import contextmanager

import psutil
import pytest

from tests.sweeps.sweeping import command, sweep, wait_for, write_sweep

pytest.importorskip("distributed", reason="Dask is not installed: pip install 'site-twin[sweep]'")


@contextmanager
def dask(*arguments, log):
    """Run a Dask program until the end of the block."""
    with log.open("w") as text:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, arguments), "--no-dashboard", "--host", "127.0.0.1"],
            stdout=text, stderr=subprocess.STDOUT, cwd=log.parent,
        )  # fmt: skip
    try:
        yield process
    finally:
        children = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        for one in (process, *children):
            one.kill()
        process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """Return the address of a scheduler with two workers, and what their processes are."""
    folder = tmp_path_factory.mktemp("dask")
    (folder / "elsewhere").mkdir()
    with dask("scheduler", "--port", 0, "--scheduler-file", "s.json", log=folder / "scheduler.log"):
        wait_for((folder / "s.json").exists, "no scheduler")
        given = ["worker", "--scheduler-file", folder / "s.json", "--nthreads", 1, "--no-nanny"]
        given += ["--local-directory", folder / "elsewhere"]
        with dask(*given, log=folder / "1.log") as first, dask(*given, log=folder / "2.log") as second:
            yield json.loads((folder / "s.json").read_text())["address"], [first, second]


def test_a_cluster_finds_the_same_and_a_killed_worker_costs_only_its_task(scheduler, tmp_path):
    address, workers = scheduler
    scenario, over = write_sweep(tmp_path)
    code, told, _ = sweep(scenario, over, tmp_path / "here", "--workers", 2)
    assert code == 0
    out = tmp_path / "out"
    with subprocess.Popen(
        [*command(scenario, over, out, "--scheduler", address, "--workers", 2), "--json"],
        stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        wait_for(lambda: list(out.glob("ledger/*.json")), "nothing is done")
        children = psutil.Process(workers[0].pid).children()
        workers[0].kill()
        result, _ = process.communicate(timeout=150)
    assert process.returncode == 0
    assert json.loads(result)["results_hash"] == told["results_hash"]
    assert json.loads(result)["failed"] == 0
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive, "the process behind a worker outlives it"


def test_the_scenario_is_needed_on_no_disk_but_that_of_who_asks(scheduler, tmp_path):
    # The worker of a cluster runs what it was sent, from a folder of its own.
    from distributed import Client

    from twin import __version__
    from twin.sweeps import read_plan
    from twin.sweeps.cluster import run_chunk
    from twin.sweeps.running import Order

    scenario, over = write_sweep(tmp_path)
    plan = read_plan(scenario, over)
    scenario.unlink()
    (tmp_path / "network.yaml").unlink()
    with Client(scheduler[0], set_as_default=False) as client:
        order = Order(60.0, None)
        chunk = list(plan.variants[:1])
        (outcome,) = client.submit(run_chunk, plan.bundle, chunk, order, {}, __version__).result(100)
        assert not outcome.failed
        with pytest.raises(Exception, match="install the same everywhere"):
            client.submit(run_chunk, plan.bundle, chunk, order, {}, "0.0").result(100)


def test_a_lost_scheduler_ends_the_sweep_which_can_be_resumed(tmp_path):
    scenario, over = write_sweep(tmp_path)
    out = tmp_path / "out"
    with dask("scheduler", "--port", 0, "--scheduler-file", "s.json", log=tmp_path / "s.log") as scheduler:
        wait_for((tmp_path / "s.json").exists, "no scheduler")
        address = json.loads((tmp_path / "s.json").read_text())["address"]
        given = ["worker", address, "--nthreads", 1, "--no-nanny"]
        with (
            dask(*given, log=tmp_path / "w.log"),
            subprocess.Popen(
                command(scenario, over, out, "--scheduler", address), stderr=subprocess.PIPE, text=True
            ) as process,
        ):
            wait_for(lambda: list(out.glob("ledger/*.json")) or process.poll(), "nothing is done")
            scheduler.kill()
            _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "the scheduler is gone" in err
    assert "go on with --resume" in err
    assert "Traceback" not in err
    code, told, err = sweep(scenario, over, out, "--resume")
    assert (code, err) == (0, "")
    assert told["failed"] == 0


def test_no_scheduler_is_said(tmp_path):
    scenario, over = write_sweep(tmp_path)
    code, _, err = sweep(scenario, over, tmp_path / "out", "--scheduler", "here")
    assert code == 2
    assert "here: is no address of a scheduler; give it as tcp://host:port" in err
