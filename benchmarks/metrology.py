"""Sampled metrology: the class A analyser beside pqopen-lib, on the same samples, per processor second.

pqopen-lib finds its cycles by zero crossings, takes float32 samples, transforms windows of 5120 points that
it resamples to 4096 by straight lines, and gives one-cycle, half-cycle and ten-cycle values, active energy of
the sum of phases, and flicker. It measures neither reactive nor apparent energy. Its fundamental comes with
the harmonics or, without them, from each cycle. The analyser has its cycle starts given: finding them is not
in its figure.
"""

import importlib.util
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numba import njit

from twin.metrology import Analyser, EventDetector, EventKind, Lamp
from twin.metrology.sampled_kernels import LANES, SUMS, cycle_sums

PER_CYCLE, CYCLES = 512, 50
START = 1_700_000_000_000_000_000
SECOND = 10**9
REPEATS = 7
METERS = 10
"""Fed together: 12 MB a second, which the third-level cache holds beside what else runs."""


@njit(nogil=True)
def copy(source, target):
    for k in range(source.size):
        target[k] = source[k]


def second_of(meters: int) -> np.ndarray:
    theta = 2 * np.pi * np.arange(PER_CYCLE * CYCLES) / PER_CYCLE
    out = np.empty((6 * meters, theta.size))
    for row in range(6 * meters):
        angle = theta - 2 * np.pi / 3 * (row % 3) - (0.5 if row % 6 > 2 else 0.0)
        size = 325.0 if row % 6 < 3 else 14.0
        out[row] = size * (np.sin(angle) + 0.05 * np.sin(5 * angle + row) + 0.01 * np.sin(7.3 * theta))
    return out


def edges(second: int) -> np.ndarray:
    first = 0 if second == 0 else 1
    return START + second * SECOND + np.arange(first, CYCLES + 1) * (SECOND // CYCLES)


def twin_cost(samples: np.ndarray, seconds: int, **options: object) -> float:
    """CPU seconds per second of one meter."""
    meters = samples.shape[0] // 6
    best = float("inf")
    for _ in range(REPEATS):
        analyser = Analyser(meters, **options)
        analyser.feed(samples, cycle_starts_ns=edges(0))
        begin = time.process_time()
        for second in range(1, seconds + 1):
            analyser.feed(samples, cycle_starts_ns=edges(second))
        best = min(best, (time.process_time() - begin) / seconds / meters)
    return best


def peer_cost(samples: np.ndarray, seconds: int, *, harmonics: bool, flicker: bool) -> float:
    """CPU seconds of pqopen-lib per second of one meter; its configuration has the same quantities."""
    from daqopen.channelbuffer import AcqBuffer
    from pqopen.powersystem import PowerSystem

    rate = float(PER_CYCLE * CYCLES)
    best = float("inf")
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            channels = [AcqBuffer(size=200_000) for _ in range(6)]
            clock = AcqBuffer(size=200_000, dtype=np.uint64)
            system = PowerSystem(zcd_channel=channels[0], input_samplerate=rate, nper=10)
            for phase in range(3):
                system.add_phase(u_channel=channels[phase], i_channel=channels[3 + phase])
            system.enable_energy_channels(Path(folder) / "energy.json", ignore_value=True)
            system.enable_nper_abs_time_sync(clock)
            if harmonics:
                system.enable_harmonic_calculation(50)
            else:
                system.enable_one_period_fundamental()
            if flicker:
                system.enable_fluctuation_calculation(nominal_voltage=230)
            spent = 0.0
            for second in range(seconds + 2):
                ticks = START // 1000 + second * 1_000_000 + np.arange(int(rate)) * 1e6 / rate
                stamps = ticks.astype(np.uint64)
                begin = time.process_time()
                for channel, row in zip(channels, samples[:6], strict=True):
                    channel.put_data(row)
                clock.put_data(stamps)
                system.process()
                spent += (time.process_time() - begin) if second >= 2 else 0.0
            best = min(best, spent / seconds)
            del system
    return best


def best_of(work: Callable[[], object], repeats: int = 7) -> float:
    best = float("inf")
    for _ in range(repeats):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


def bandwidth() -> tuple[float, float]:
    """GB/s that the kernel reads, and that a plain copy reads and writes."""
    samples = second_of(METERS)
    source, target = samples.reshape(-1), np.zeros(samples.size)
    copy(source, target)
    rate = 2 * source.nbytes / best_of(lambda: copy(source, target)) / 1e9
    theta = 2 * np.pi * np.arange(PER_CYCLE) / PER_CYCLE
    cosine, sine = np.cos(theta), np.sin(theta)
    halves, sums = np.empty((6 * METERS, 2 * CYCLES)), np.empty((CYCLES, METERS, SUMS))
    arguments = (samples, 0, cosine, sine, LANES, halves, sums, np.empty((0, 0)))
    spent = best_of(lambda: cycle_sums(*arguments))
    return samples.nbytes / spent / 1e9, rate


def always_sampled(meters: int, seconds: int) -> float:
    """Wall seconds per second of signal on two threads, every quantity on."""

    def run(count: int) -> None:
        analyser = Analyser(count, flicker=Lamp.V230)
        kinds = ((EventKind.DIP, 207.0), (EventKind.SWELL, 253.0), (EventKind.INTERRUPTION, 11.5))
        detectors = [
            [EventDetector(kind, threshold=limit, hysteresis=4.6) for kind, limit in kinds]
            for _ in range(count)
        ]
        for second in range(seconds):
            measured = analyser.feed(samples, cycle_starts_ns=edges(second))
            for meter in range(count):
                for detector in detectors[meter]:
                    detector.update(measured.half_cycle_ends_ns, measured.half_cycle_rms[meter, :3])

    samples = second_of(meters // 2)
    threads = [threading.Thread(target=run, args=(meters // 2,)) for _ in range(2)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return (time.perf_counter() - begin) / seconds


def main() -> None:
    samples = second_of(METERS)
    rows = (
        (
            "RMS, P, Q, energy, fundamental",
            {"harmonics": False, "cross_products": False},
            (False, False),
            300,
        ),
        ("+ 50 harmonics, interharmonics", {"cross_products": False}, (True, False), 25),
        ("+ flicker on three phases", {"flicker": Lamp.V230, "cross_products": False}, (True, True), 25),
    )
    has_peer = importlib.util.find_spec("pqopen") is not None
    if not has_peer:
        print("pqopen-lib is not installed: pip install 'twin[bench]' to compare with it")
    # In its first cycles pqopen-lib averages frequencies that it has not got yet.
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="pqopen|numpy")
    print("CPU per second of one meter of six channels, 512 samples a cycle")
    for name, options, (harmonics, flicker), goal in rows:
        own = twin_cost(samples, 20, **options)
        line = f"{name:32} twin {1e6 * own:7.0f} us"
        if has_peer:
            peer = peer_cost(samples, 4, harmonics=harmonics, flicker=flicker)
            line += f"   pqopen-lib {1e3 * peer:6.1f} ms   {peer / own:5.0f} x (goal {goal})"
        print(line, flush=True)
    kernel, plain = bandwidth()
    share = 100 * kernel / plain
    print(
        f"kernel of RMS, P and fundamental {kernel:.1f} GB/s, copy {plain:.1f} GB/s: {share:.0f} % (goal 60)"
    )
    for meters in (20, 200):
        wall = always_sampled(meters, 5)
        held = int(meters / wall)
        print(f"{meters} always-sampled meters: {wall:.3f} s a second; two threads hold {held}")


if __name__ == "__main__":
    main()
