"""What the arguments of several commands have in common."""

import argparse

Commands = argparse._SubParsersAction  # its public name is missing from argparse


def add_command(
    commands: "Commands[argparse.ArgumentParser]", name: str, target: str, summary: str, example: str
) -> argparse.ArgumentParser:
    """Add a command with its example; ``module:function`` under ``twin.cli`` carries it out."""
    command = commands.add_parser(
        name,
        help=summary,
        description=summary[:1].upper() + summary[1:] + ".",
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if target:
        module, function = target.split(":")
        command.set_defaults(module=module, function=function)
    return command


def add_json(command: argparse.ArgumentParser) -> None:
    """Add the option to print JSON."""
    command.add_argument("--json", action="store_true", help="print one JSON value and nothing else")


def add_recorded(command: argparse.ArgumentParser) -> None:
    """Add the argument that is a recording."""
    command.add_argument("recording", metavar="PLACE", help="recording directory, or URL of a run")


def add_store(command: argparse.ArgumentParser) -> None:
    """Add the options that say where a recording goes."""
    place = command.add_mutually_exclusive_group()
    place.add_argument("--out", help="recording directory; a new one under recordings/ when absent")
    place.add_argument(
        "--store", metavar="PLACE",
        help="the same, or a database: postgresql://user@host:port/db, a run in it with ?run=NAME",
    )  # fmt: skip
    command.add_argument("--overwrite", action="store_true", help="replace a recording that is there")
