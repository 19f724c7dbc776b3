"""Arguments of ``twin alarms``, ``twin grade`` and ``twin what-if``."""

import argparse

from twin.cli.parts import Commands, add_command, add_json, add_recorded


def add_alarms(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add ``twin alarms``."""
    command = add_command(
        commands, "alarms", "alarms:alarms", "watch a site's meters as an alarm server does",
        "twin alarms rules.yaml --ready-file site.json --out journal.csv",
    )  # fmt: skip
    command.add_argument("rules", help="rules file")
    command.add_argument("--ready-file", metavar="F", help="as twin serve wrote it: where meters answer")
    command.add_argument(
        "--clock",
        choices=("wall", "site"),
        default="wall",
        help="whose time the journal is kept in (site: needs twin serve --api-port)",
    )
    command.add_argument(
        "--lockstep", action="store_true", help="let simulated time pass only from poll to poll"
    )
    command.add_argument("--duration", metavar="TIME", help="watch only so long, for example '10 min'")
    command.add_argument("--out", metavar="CSV", help="write the journal there, not to the screen")


def add_grade(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add ``twin grade``."""
    command = add_command(
        commands, "grade", "grade:grade", "compare the alarms of a system with what a run should have raised",
        "twin grade recordings/storm --alarms journal.csv --map alarms.yaml --html verdict.html",
    )  # fmt: skip
    add_recorded(command)
    command.add_argument("--alarms", required=True, metavar="CSV", help="journal of the graded system")
    command.add_argument("--map", required=True, metavar="YAML", help="which alarms are expected, and when")
    command.add_argument("--junit", metavar="XML", help="also write the verdict for a build server")
    command.add_argument("--html", metavar="FILE", help="also write the verdict as a page with a timeline")
    add_json(command)


def add_what_if(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add ``twin what-if``."""
    command = add_command(
        commands, "what-if", "what_if:what_if", "compare alarm settings on a recorded run",
        "twin what-if recordings/storm --rules rules.yaml --variants variants.yaml --html settings.html",
    )  # fmt: skip
    add_recorded(command)
    command.add_argument("--rules", required=True, metavar="YAML", help="alarms as they are")
    command.add_argument("--variants", required=True, metavar="YAML", help="what is changed")
    command.add_argument("--html", metavar="FILE", help="also write a page with plots")
    add_json(command)
