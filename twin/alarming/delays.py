"""On-delay and off-delay: a condition counts only when it has lasted."""

from twin.alarming.conditions import Truth


class Delay:
    """Follows a condition's truth with delays.

    Parameters
    ----------
    on_ns, off_ns : int
        How long the condition must hold, and must not hold, without a break [ns].

    References
    ----------
    ANSI/ISA-18.2, on-delay and off-delay as means against fleeting and chattering alarms.
    """

    def __init__(self, *, on_ns: int, off_ns: int) -> None:
        self._on_ns, self._off_ns = on_ns, off_ns
        self.active = False
        self._since_ns: int | None = None

    def follow(self, truth: Truth, now_ns: int) -> bool:
        """Return whether the condition counts as holding now; while its truth is unknown nothing changes.

        Seen at scans only: a delay has passed at the first scan at or after its end.
        """
        if truth is None:
            return self.active
        if truth == self.active:
            self._since_ns = None
            return self.active
        if self._since_ns is None:
            self._since_ns = now_ns
        if now_ns - self._since_ns >= (self._on_ns if truth else self._off_ns):
            self.active, self._since_ns = truth, None
        return self.active
