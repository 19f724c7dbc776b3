"""The operating system's limit of open files: every listening port and connection costs one."""

import os
import sys
from pathlib import Path

from twin.contracts import TwinError


class FileLimitError(TwinError, OSError):
    """The operating system does not let this process open as many files as it needs."""


def files_in_use() -> int:
    """Return how many file descriptors this process holds."""
    listing = Path("/dev/fd")
    return len(list(listing.iterdir())) if listing.is_dir() else _lowest_free()


def reserve_files(required: int, *, wanted: int | None = None, purpose: str) -> None:
    """Raise the soft limit of open files so that ``required`` more can be opened.

    Parameters
    ----------
    required
        Files that must be possible beyond those that are open now.
    wanted
        Files that would be good to have; taken as far as the hard limit goes.
    purpose
        What they are for, as the error names it.

    Raises
    ------
    FileLimitError
        The hard limit is too low.
    """
    if sys.platform == "win32":  # no such limit for sockets there
        return
    import resource  # noqa: PLC0415 - POSIX only

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = files_in_use()
    if soft == resource.RLIM_INFINITY or used + max(required, wanted or 0) <= soft:
        return
    unlimited = hard == resource.RLIM_INFINITY
    if not unlimited and used + required > hard:
        raise FileLimitError(
            f"{purpose} needs {used + required} open files, the operating system allows {hard}; raise the "
            f"hard limit (`ulimit -Hn {used + required}` as root, LimitNOFILE= in a systemd unit, "
            "--ulimit nofile= for a container) or serve fewer meters from this process"
        )
    target = used + max(required, wanted or 0)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target if unlimited else min(target, hard), hard))
    except (OSError, ValueError) as error:
        raise FileLimitError(
            f"{purpose} needs {used + required} open files, but the limit cannot be raised "
            f"from {soft}: {error}; run `ulimit -Sn {used + required}` before starting"
        ) from error


def reserve_few_files(count: int, *, purpose: str) -> None:
    """Make sure that ``count`` more files can be opened, at the cost of opening one.

    The lowest free descriptor tells cheaply how full the table is, so that thousands of small
    resources can be made one by one without counting all open files each time.

    Raises
    ------
    FileLimitError
        The hard limit is too low.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - POSIX only

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and _lowest_free() + count >= soft:
        reserve_files(count + 2, wanted=count + 1024, purpose=purpose)


def _lowest_free() -> int:
    descriptor = os.open(os.devnull, os.O_RDONLY)
    os.close(descriptor)
    return descriptor
