"""What led to an expected alarm: from what physically happened to what the meter knew, with times."""

from twin.alarming.grading.occurrence import Expected
from twin.contracts import NS_PER_SECOND
from twin.recording.ledger import Ledger, Link, in_order


def chain(ledger: Ledger, meter: str, expected: Expected) -> tuple[Link, ...]:
    """Return what led to an occurrence, in order of time.

    Parameters
    ----------
    ledger : Ledger
        Of the run.
    meter : str
        The meter whose reading it is about.
    expected : Expected
    """
    links = ledger.before(meter, expected.since_ns, expected.start_ns + NS_PER_SECOND)
    own = (
        Link(expected.since_ns, expected.stage, f"{meter}: {expected.about}"),
        Link(expected.start_ns, "expected", "the alarm can be raised from here on"),
    )
    return in_order((*links, *own))
