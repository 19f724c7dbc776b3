"""``twin grade``: the journal of an alarm system against a recorded run."""

import argparse
import json
import sys
from pathlib import Path

from twin.cli.options import write_report


def grade(options: argparse.Namespace) -> int:
    """Grade a journal; 1 when something is wrong with it."""
    from twin.alarming.grading import grade as grade_journal  # noqa: PLC0415
    from twin.alarming.grading.html_report import verdict_html  # noqa: PLC0415
    from twin.alarming.grading.reports import junit_xml, verdict_json, verdict_text  # noqa: PLC0415
    from twin.recording import Recording  # noqa: PLC0415

    recording = Recording.open(options.recording)
    verdict = grade_journal(recording, options.alarms, options.map)
    name = str(recording.info.scenario.get("title") or Path(str(options.recording)).name)
    if options.junit is not None:
        write_report(Path(options.junit), junit_xml(verdict, name=name), "--junit")
    if options.html is not None:
        write_report(Path(options.html), verdict_html(verdict, title=name), "--html")
    if options.json:
        sys.stdout.write(json.dumps(verdict_json(verdict), indent=1, allow_nan=False) + "\n")
    else:
        sys.stdout.write(verdict_text(verdict))
    return 0 if verdict.passed else 1
