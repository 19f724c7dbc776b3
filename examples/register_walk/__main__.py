"""Print what a walk through all registers found; exit code 1 where meter and truth disagree."""

import sys

from examples.register_walk import walk


def main() -> int:
    """Walk and say what came of it."""
    report = walk()
    print(report.table())
    print(f"registers without an expectation: {len(report.unexpected)}", *report.unexpected)
    print(f"disagreements: {len(report.problems)}", *report.problems, sep="\n  ")
    return 1 if report.problems or report.unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
