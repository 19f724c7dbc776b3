"""Run all benchmarks, or those named: ``python -m benchmarks [NAME ...]``; ``live-scale`` takes options."""

import importlib
import sys

NAMES = {
    "startup": "benchmarks.startup",
    "day": "benchmarks.day",
    "serve": "benchmarks.serve",
    "historian": "benchmarks.historian",
    "live-scale": "benchmarks.live_scale",
    "scale": "benchmarks.scale",
    "modbus": "benchmarks.modbus_reads",
    "metrology": "benchmarks.metrology",
    "grid": "benchmarks.grid",
    "events": "benchmarks.events",
    "sweep": "benchmarks.sweep",
}


def main() -> int:
    if sys.argv[1:2] in (["live-scale"], ["scale"]):
        importlib.import_module(NAMES[sys.argv[1]]).main(sys.argv[2:])
        return 0
    wanted = sys.argv[1:] or list(NAMES)
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; known: {', '.join(NAMES)}", file=sys.stderr)
        return 2
    for name in wanted:
        print(f"\n== {name} ==", flush=True)
        importlib.import_module(NAMES[name]).main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
