"""``twin what-if``: a recorded run with other alarm settings."""

import argparse
import json
import sys
from pathlib import Path

from twin.cli.options import write_report


def what_if(options: argparse.Namespace) -> int:
    """Compare alarm settings on a recorded run."""
    from twin.alarming.what_if import what_if as follow  # noqa: PLC0415
    from twin.alarming.what_if_report import what_if_html, what_if_json, what_if_text  # noqa: PLC0415
    from twin.recording import Recording  # noqa: PLC0415

    recording = Recording.open(options.recording)
    results = follow(recording, options.rules, options.variants)
    name = str(recording.info.scenario.get("title") or Path(str(options.recording)).name)
    if options.html is not None:
        write_report(Path(options.html), what_if_html(results, title=name), "--html")
    if options.json:
        sys.stdout.write(json.dumps(what_if_json(results), indent=1, allow_nan=False) + "\n")
    else:
        sys.stdout.write(what_if_text(results))
    return 0
