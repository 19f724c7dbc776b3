"""One run of a scenario in a process of its own: ``python -m benchmarks.scale_run SCENARIO FOLDER``.

Prints seconds of wall and processor from the start of simulated time to the sealed recording, what it
took to get there, and the largest memory, as one JSON value.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from twin.cli.launcher import pin

if TYPE_CHECKING:
    from twin.scenario import SiteScenario

pin()  # before NumPy is there


def what_is_on(loaded: "SiteScenario") -> str:
    """Say what the first meter measures and records, from its settings."""
    from twin.meters.kw320.meter import Kw320Meter
    from twin.meters.load_profile import CHANNELS

    settings = Kw320Meter(loaded.meters[0].config, start_ns=loaded.start_ns).settings
    on = ["energies", f"{settings.demand_mode} demand", "maxima and minima", "orders 2 to 63 where they flow"]
    alarms = sum(channel.enabled for channel in settings.alarm_channels)
    on.append(f"{alarms} alarms set" if alarms else "no alarm set")
    if settings.power_quality:
        kinds = ("sag", "swell", "over_current")
        caught = [kind.replace("_", " ") for kind in kinds if getattr(settings, f"{kind}_waveform")]
        on.append(f"sags, swells and over-current, captures of {' and '.join(caught) or 'nothing'}")
    on.append(f"a load profile of {len(CHANNELS)} channels each {settings.load_profile_minutes} minutes")
    return ", ".join([*on, f"errors of its accuracy: {settings.accuracy}"])


def main(scenario: Path, folder: Path) -> None:
    from twin.recording import Recording
    from twin.scenario import load_scenario
    from twin.simulation import build_site

    started = time.perf_counter()
    loaded = load_scenario(scenario)
    place = folder / "recording"
    with build_site(loaded) as site:
        site.begin()
        site.record_to(place, overwrite=False)
        # Kernels are loaded from their cache in the first minutes.
        site.engine.advance_to(loaded.start_ns + 130 * 10**9)
        ready, cpu = time.perf_counter(), time.process_time()
        site.engine.advance_to(loaded.end_ns)
        solves, changes = site.engine.site.solves, site.engine.site.load_changes
    seconds, cpu = time.perf_counter() - ready, time.process_time() - cpu
    recording = Recording.open(place)
    size = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    print(
        json.dumps(
            {
                "on": what_is_on(loaded),
                "days": (loaded.end_ns - loaded.start_ns) / 86400e9,
                "meters": len(loaded.meters),
                "buses": len(loaded.network.buses),
                "start_s": ready - started,
                "seconds": seconds,
                "cpu_s": cpu,
                "solves": solves,
                "load_changes": changes,
                "events": len(recording.events()),
                "captures": len(recording.waveforms()),
                "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                "recording_mb": size / 1e6,
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
