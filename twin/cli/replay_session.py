"""``twin replay-session``: live a recorded session again, and say whether it comes out the same."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from twin.cli.run import progress, stop_on_signals
from twin.contracts import NS_PER_SECOND

_STEP_NS = 900 * NS_PER_SECOND


def replay_session(options: argparse.Namespace) -> int:
    """Run the session of a recording anew into another one, and compare the two."""
    from twin.recording import Recording, content_hash, first_difference, place_of  # noqa: PLC0415
    from twin.simulation import build_site  # noqa: PLC0415
    from twin.simulation.replaying import live_again, recorded_session  # noqa: PLC0415

    recorded = Recording.open(options.recording)
    out = place_of(options.out) if options.out else _beside(options.recording)
    started = time.monotonic()
    stop = stop_on_signals()
    with recorded_session(recorded) as session, build_site(session.scenario) as site:
        site.begin()
        site.record_to(out, overwrite=options.overwrite, described=recorded.info.scenario)
        engine = site.engine
        start_ns, until_ns = session.scenario.start_ns, session.reached_ns
        quiet = options.quiet or options.json or not sys.stderr.isatty()
        with progress(start_ns, until_ns, quiet=quiet) as show:

            def advance(to_ns: int) -> bool:
                while engine.now_ns < to_ns and not stop.is_set():
                    engine.advance_to(min(engine.now_ns + _STEP_NS, to_ns))
                    show(engine.now_ns)
                return not stop.is_set()

            otherwise = live_again(engine, session.commands, until_ns, advance=advance)
    seconds = time.monotonic() - started
    hashes = [content_hash(place) for place in (options.recording, out)]
    limit = None if session.complete else until_ns
    difference = None
    if limit is not None or hashes[0] != hashes[1]:
        difference = first_difference(options.recording, out, until_ns=limit)
    result = {
        "recording": str(options.recording),
        "replayed": str(out),
        "commands": len(session.commands),
        "otherwise": otherwise,
        "simulated_s": (until_ns - start_ns) / NS_PER_SECOND,
        "seconds": round(seconds, 3),
        "complete": session.complete,
        "content_hash": hashes[0],
        "replayed_hash": hashes[1],
        "equal": difference is None and not otherwise and not stop.is_set(),
        "first_difference": difference,
        "interrupted": stop.is_set(),
    }
    sys.stdout.write(json.dumps(result) + "\n" if options.json else _told(result))
    if stop.is_set():
        return 130
    return 0 if result["equal"] else 1


def _beside(recording: str) -> Path:
    return Path("recordings") / f"replay-{time.strftime('%Y%m%d-%H%M%S')}-{Path(recording).name}"


def _told(result: dict[str, Any]) -> str:
    lines = [
        f"{result['simulated_s'] / 3600:.2f} h with {result['commands']} commands lived again in "
        f"{result['seconds']:.1f} s, {result['simulated_s'] / result['seconds']:.0f} times as fast",
        f"recorded  {result['content_hash']}",
        f"replayed  {result['replayed_hash']}  {result['replayed']}",
        *result["otherwise"],
    ]
    if result["first_difference"]:
        lines.append(f"first difference: {result['first_difference']}")
    elif not result["complete"]:
        lines.append("equal as far as the recording goes: its writer was killed")
    elif result["equal"]:
        lines.append("equal")
    return "\n".join([*lines, ""])
