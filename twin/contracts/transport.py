"""What may go wrong between a meter and its masters, as plain data; whom it hits is decided elsewhere."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Distribution(StrEnum):
    """How a latency lies within its range."""

    UNIFORM = "uniform"
    """Evenly from the least to the most."""
    NORMAL = "normal"
    """Around the middle, 95 % of it within the range; what would lie outside is put at its end."""
    LONG_TAIL = "long_tail"
    """Exponentially from the least, 95 % of it within the range, the rest beyond."""


class WhenFull(StrEnum):
    """What becomes of a connection beyond those that a device has room for."""

    REFUSE = "refuse"
    """It is reset at once."""
    WAIT = "wait"
    """It is accepted, and served when another ends: the device's TCP stack has more room than its server."""
    CLOSE_OLDEST = "close_oldest"
    """It is served, and the oldest one is closed."""


class Ending(StrEnum):
    """What becomes of a connection after an answer that was cut."""

    KEEP = "keep"
    """It stays; the rest of the answer never comes. On a serial line nothing else is possible."""
    CLOSE = "close"
    """It is closed in order (FIN)."""
    RESET = "reset"
    """It is reset (RST)."""


@dataclass(frozen=True, slots=True)
class HowOften:
    """Which requests are hit: a share of them by chance, or each nth."""

    share: float = 1.0
    """Of the requests, 0..1."""
    every: int = 0
    """Each nth instead; 0 where the share counts."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How much later than a healthy endpoint's an answer is sent."""

    least_s: float
    most_s: float
    distribution: Distribution = Distribution.UNIFORM


@dataclass(frozen=True, slots=True)
class ForcedException:
    """An exception instead of the answer; the request is not carried out."""

    code: int
    """1..255."""
    often: HowOften = HowOften()
    functions: tuple[int, ...] = ()
    """Function codes that are hit; empty for all."""
    registers: tuple[int, int] | None = None
    """First and last address: requests that touch one between are hit; None for all."""


@dataclass(frozen=True, slots=True)
class Cut:
    """An answer of which only the first bytes are sent."""

    often: HowOften = HowOften()
    after: int = 5
    """Bytes that are sent, of the whole frame."""
    ending: Ending = Ending.KEEP


@dataclass(frozen=True, slots=True)
class Storm:
    """Requests of somebody else that the device has to serve as well, one after the other."""

    rate: float
    """Requests per second; they come at random (a Poisson process)."""
    service_s: float
    """What each request takes of the device's time, the master's own as well [s]."""
    queue: int = 4
    """Requests that the device keeps waiting."""
    silent: bool = False
    """Whether a request beyond those is dropped; else it is answered by exception 06."""


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """A port that passes requests on to a serial line."""

    timeout_s: float
    """How long it waits for a meter before it answers exception 0BH [s]."""
    character_s: float
    """Time of a character on the line [s]."""


@dataclass(frozen=True, slots=True)
class TransportFaults:
    """All that goes wrong at once; what is not named is in order."""

    latency: Latency | None = None
    lost_requests: HowOften | None = None
    """Not heard, and so neither carried out nor answered."""
    lost_answers: HowOften | None = None
    """Carried out, but not answered."""
    exception: ForcedException | None = None
    cut: Cut | None = None
    wrong_unit: HowOften | None = None
    """Answered under another unit identifier."""
    wrong_transaction: HowOften | None = None
    """Answered under the next transaction identifier (TCP)."""
    repeated_transaction: HowOften | None = None
    """Answered under the transaction identifier of the answer before (TCP)."""
    duplicate: HowOften | None = None
    """Answered twice."""
    wrong_crc: HowOften | None = None
    """Answered with a wrong CRC (RTU)."""
    glitches: HowOften | None = None
    """Stray bytes before the answer (RTU)."""
    bit_errors: float = 0.0
    """Share of bits that arrive wrong, of requests and of answers (RTU)."""
    storm: Storm | None = None
    connections: int | None = None
    """How many the device has room for (TCP)."""
    when_full: WhenFull = WhenFull.REFUSE
    accept_delay_s: float = 0.0
    """After what time a new connection is served (TCP) [s]."""
    refuse: bool = False
    """Whether nobody listens (TCP)."""
    close: bool = False
    """Whether the connections that are open are closed when it begins (TCP)."""
    away: bool = False
    """Whether the meter itself is away: a port of its own closes and refuses, one that it shares stays."""

    def over_tcp(self) -> "TransportFaults":
        """Return the same without what only a serial line has."""
        return replace(self, wrong_crc=None, glitches=None, bit_errors=0.0)

    @property
    def hits_requests(self) -> bool:
        """Whether single requests have a fate of their own."""
        plain = TransportFaults(
            connections=self.connections,
            when_full=self.when_full,
            accept_delay_s=self.accept_delay_s,
            refuse=self.refuse,
            close=self.close,
            away=self.away,
        )
        return self != plain


@dataclass(frozen=True, slots=True)
class EndpointFault:
    """Faults of the endpoints of some meters, from now until they are taken away."""

    number: int
    """Its own, never used again: while it stays, the course of its random numbers goes on."""
    meters: tuple[str, ...]
    faults: TransportFaults
    seed: str
    """What its random numbers follow from, for each endpoint in its own way."""
    over: str = ""
    """``tcp`` or ``rtu``: endpoints of that kind alone; empty for all."""
