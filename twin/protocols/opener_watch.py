"""Who opens and closes a device: told by the Linux kernel, elsewhere by nobody.

References
----------
inotify(7): events IN_OPEN, IN_CLOSE_WRITE, IN_CLOSE_NOWRITE of one path; each opening is closed once.
"""

import ctypes
import os
import struct
import sys
from contextlib import suppress

_IN_CLOSE_WRITE, _IN_CLOSE_NOWRITE, _IN_OPEN = 0x08, 0x10, 0x20
_EVENT = struct.Struct("iIII")  # watch, what, cookie, length of the name that follows


class OpenerWatch:
    """Counts the programs that open a path from now on.

    Parameters
    ----------
    path
        Of a device that exists.
    """

    def __init__(self, path: str) -> None:
        self.descriptor = _watch(path) if sys.platform == "linux" else -1
        """Readable when there is something to take; -1 where nobody tells."""
        self.count = 0
        """Openings less closings; below 0 where one was open before."""

    def take(self) -> bool:
        """Take what has happened; return whether the last one has closed meanwhile."""
        left = False
        with suppress(BlockingIOError):
            data = os.read(self.descriptor, 4096)
            at = 0
            while at < len(data):
                _, what, _, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size + length
                if what & _IN_OPEN:
                    self.count += 1
                elif what & (_IN_CLOSE_WRITE | _IN_CLOSE_NOWRITE):
                    self.count -= 1
                    left = left or self.count <= 0
        return left

    def close(self) -> None:
        """Watch no more; twice is allowed."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _watch(path: str) -> int:
    """Return a descriptor of events, or -1 where the system gives none."""
    library = ctypes.CDLL(None, use_errno=True)
    descriptor: int = library.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        return -1
    wanted = _IN_OPEN | _IN_CLOSE_WRITE | _IN_CLOSE_NOWRITE
    if library.inotify_add_watch(descriptor, os.fsencode(path), wanted) < 0:
        os.close(descriptor)
        return -1
    return descriptor
