"""Conversion of SimBench networks, with SimBench installed and without."""

import sys
import warnings
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from twin.contracts import TwinError
from twin.grid import GridError, GridSolver, LoadPoint, Probe, read_network
from twin.grid.importers import simbench_net
from twin.grid.importers.simbench_net import import_simbench

CODE = "1-LV-semiurb4--0-no_sw"


def test_without_the_extra_nothing_is_left_and_the_mend_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "simbench", None)
    with pytest.raises(TwinError, match=r"pip install 'site-twin\[simbench\]'"):
        import_simbench(CODE, tmp_path / "net")
    assert list(tmp_path.iterdir()) == []


def test_a_directory_with_content_is_refused_first(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "simbench", None)
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(GridError, match="not empty; give a new directory"):
        import_simbench(CODE, tmp_path)


def test_labels_in_local_time_become_a_regular_series():
    """The zone's rules of 2016: an hour less on 27 March, one more on 30 October."""
    zone = simbench_net.ZoneInfo("Europe/Berlin")
    start = simbench_net.datetime(2016, 1, 1, tzinfo=zone).timestamp()
    labels = [
        simbench_net.datetime.fromtimestamp(start + 900 * k, zone).strftime("%d.%m.%Y %H:%M")
        for k in range(366 * 96)
    ]
    starts = simbench_net._interval_starts(labels)
    assert starts[0] == 1_451_602_800_000_000_000
    assert set(np.diff(starts)) == {900_000_000_000}
    with pytest.raises(GridError, match=r"jump at '02\.01\.2016 00:15'"):
        simbench_net._interval_starts(labels[:50] + labels[51:])


@pytest.mark.slow
def test_a_network_and_one_step_of_its_profiles_agree_with_pandapower(tmp_path, monkeypatch):
    pytest.importorskip("simbench", reason="simbench is an optional extra")
    with pytest.raises(GridError, match=f"did you mean '{CODE}'"):
        import_simbench(CODE.replace("no_sw", "nosw"), tmp_path / "net")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = simbench_net._load(CODE)
    # It takes seconds to load: once is enough.
    monkeypatch.setattr(simbench_net, "_load", lambda _: loaded)
    with monkeypatch.context() as full:
        full.setattr(simbench_net, "_write_profiles", _fail)
        with pytest.raises(OSError, match="disk full"):
            import_simbench(CODE, tmp_path / "net")
    assert list(tmp_path.iterdir()) == []
    assumptions = import_simbench(CODE, tmp_path / "net")
    text = " ".join(assumptions)
    assert all(word in text for word in ("zero-sequence", "vector group", "phases a, b, c in turn"))

    network = read_network(tmp_path / "net" / "network.yaml")
    assert network.assumptions == tuple(assumptions)
    profiles = pq.read_table(tmp_path / "net" / "profiles.parquet")
    assert profiles.num_rows == 366 * 96
    assert {load.phases for load in network.loads} == {"a", "b", "c", "abc"}
    for load in network.loads:
        if load.phases != "abc":
            assert abs(complex(load.p[0], load.q[0])) <= 4600
    step = 50 * 96 + 76
    row = {name: profiles[name][step].as_py() for name in profiles.column_names}
    expected = _pandapower_voltages(*loaded, step)
    # pandapower is balanced and has its magnetising branch in the middle: compare without either.
    units = tuple(replace(unit, p_iron=0.0, i0_percent=0.0) for unit in network.transformers)
    loads = [LoadPoint(load.name, load.bus, phase) for load in network.loads for phase in "abc"]
    p = np.repeat([row[f"{load.name}.p_w"] / 3 for load in network.loads], 3)
    q = np.repeat([row[f"{load.name}.q_var"] / 3 for load in network.loads], 3)
    probes = [Probe(bus.name, bus.name) for bus in network.buses]
    solver = GridSolver(replace(network, transformers=units), probes=probes, loads=loads, orders=[1])
    phasor = solver.solve(p, q, np.zeros((len(p), 1), dtype=complex)).phasor
    for k, bus in enumerate(network.buses):
        v = np.abs(phasor[6 * k : 6 * k + 3, 0]) / (bus.u_rated / np.sqrt(3))
        assert v == pytest.approx([expected[bus.name]] * 3, abs=1e-8)
    assert max(expected.values()) - min(expected.values()) > 0.01


def _pandapower_voltages(net, profiles, step):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandapower

        for (table, quantity), frame in profiles.items():
            if frame.shape[1] and table in {"load", "sgen"}:
                net[table].loc[frame.columns, quantity] = frame.iloc[step].to_numpy()
        net.trafo[["pfe_kw", "i0_percent"]] = 0.0
        pandapower.runpp(net, numba=False, tolerance_mva=1e-11)
    return dict(zip(net.bus["name"], net.res_bus["vm_pu"], strict=True))


def _fail(*_):
    raise OSError("disk full")
