"""What becomes of each request of a faulty endpoint: decided from a seed, without sockets and clocks.

The same faults and the same requests have the same fates, whoever asks, whenever: what counts is the number
of the request. Only a storm needs to know when.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from twin.contracts.transport import Cut, Distribution, HowOften, Latency, Storm, TransportFaults

_TAIL = math.log(20.0)  # 95 % of an exponential distribution lie below so many of its means
_BUSY = 6
_ADDRESSED = frozenset({1, 2, 3, 4, 5, 6, 15, 16})
_MANY = frozenset({1, 2, 3, 4, 15, 16})
_STRAY_BYTES = 4


@dataclass(slots=True)
class Fate:
    """What becomes of one request and of its answer."""

    heard: bool = True
    """Whether the meter gets it."""
    exception: int | None = None
    """Code that is answered instead of carrying it out."""
    delay_s: float = 0.0
    """How long the answer is held back [s]."""
    answered: bool = True
    """Whether the answer gets anywhere."""
    wrong_unit: bool = False
    wrong_transaction: bool = False
    repeated_transaction: bool = False
    copies: int = 1
    cut: Cut | None = None
    wrong_crc: bool = False
    stray: bytes = b""
    """Before the frame, on a line."""


class FaultStream:
    """The fates that one fault gives to the requests of one endpoint, one after the other.

    Parameters
    ----------
    faults
        What goes wrong.
    seed
        What the random numbers follow from.
    """

    def __init__(self, faults: TransportFaults, seed: str) -> None:
        self._faults = faults
        self._random = Random(seed)
        self._storm = None if faults.storm is None else _Queue(faults.storm)
        self._requests = 0
        self._exceptions = 0

    def decide(self, fate: Fate, request: bytes, now_s: float) -> None:
        """Add to the fate of the next request.

        Parameters
        ----------
        fate
            What other faults have made of it.
        request
            Its PDU.
        now_s
            When it came, by any clock [s].
        """
        faults = self._faults
        self._requests += 1
        if faults.latency is not None:
            fate.delay_s += self._drawn(faults.latency)
        self._on_the_way(fate, request)
        self._force_exception(fate, request)
        if self._storm is not None:
            self._weather(self._storm, fate, now_s)
        if faults.cut is not None and self._hits(faults.cut.often):
            fate.cut = faults.cut
        fate.wrong_unit |= self._hits(faults.wrong_unit)
        fate.wrong_transaction |= self._hits(faults.wrong_transaction)
        fate.repeated_transaction |= self._hits(faults.repeated_transaction)
        fate.copies += self._hits(faults.duplicate)
        fate.wrong_crc |= self._hits(faults.wrong_crc)
        if self._hits(faults.glitches):
            fate.stray += self._random.randbytes(self._random.randint(1, _STRAY_BYTES))

    def spoil(self, frame: bytes) -> bytes:
        """Return a frame with the bits wrong that the line has flipped."""
        share = self._faults.bit_errors
        if share <= 0.0:
            return frame
        spoilt = bytearray(frame)
        at = self._bits_until_error(share)
        while at < 8 * len(spoilt):
            spoilt[at >> 3] ^= 1 << (at & 7)
            at += 1 + self._bits_until_error(share)
        return bytes(spoilt)

    def _on_the_way(self, fate: Fate, request: bytes) -> None:
        faults = self._faults
        fate.heard &= not self._hits(faults.lost_requests)
        fate.answered &= not self._hits(faults.lost_answers)
        if faults.bit_errors > 0.0:
            bits = 8 * (len(request) + 3)  # unit and CRC as well; a meter drops what its CRC does not fit
            fate.heard &= self._random.random() < (1.0 - faults.bit_errors) ** bits

    def _force_exception(self, fate: Fate, request: bytes) -> None:
        forced = self._faults.exception
        if forced is None or (forced.functions and request[0] not in forced.functions):
            return
        if forced.registers is not None and not _touches(request, *forced.registers):
            return
        self._exceptions += 1
        if self._hits(forced.often, self._exceptions):
            fate.exception = forced.code

    def _weather(self, queue: "_Queue", fate: Fate, now_s: float) -> None:
        if not fate.heard:
            return
        wait_s = queue.serve(now_s, self._random)
        if wait_s is not None:
            fate.delay_s += wait_s
        elif queue.storm.silent:
            fate.heard = False
        else:
            fate.exception = _BUSY

    def _hits(self, often: HowOften | None, number: int | None = None) -> bool:
        """Return whether the request is hit; each nth counts from the first that can be."""
        if often is None:
            return False
        if often.every:
            return (self._requests if number is None else number) % often.every == 0
        return often.share >= 1.0 or self._random.random() < often.share

    def _drawn(self, latency: Latency) -> float:
        least, most = latency.least_s, latency.most_s
        if most <= least:
            return least
        if latency.distribution is Distribution.UNIFORM:
            return self._random.uniform(least, most)
        if latency.distribution is Distribution.LONG_TAIL:
            return least + self._random.expovariate(_TAIL / (most - least))
        drawn = self._random.normalvariate((least + most) / 2.0, (most - least) / 4.0)
        return min(max(drawn, least), most)

    def _bits_until_error(self, share: float) -> int:
        """Return how many bits are right before the next wrong one (a geometric distribution)."""
        if share >= 1.0:
            return 0
        return int(math.log(1.0 - self._random.random()) / math.log1p(-share))


class _Queue:
    """A device that serves one request at a time, and somebody who asks without end."""

    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        self._free_s: float | None = None
        self._next_s = 0.0

    def serve(self, now_s: float, random: Random) -> float | None:
        """Return when the request that comes now will have been served, from now on [s]; None: no room."""
        storm = self.storm
        if self._free_s is None:
            self._free_s = now_s
            self._next_s = now_s + random.expovariate(storm.rate)
        # What came long ago is served or dropped: it need not be followed through a silence of the master.
        horizon_s = (storm.queue + 2) * storm.service_s + 10.0 / storm.rate
        self._next_s = max(self._next_s, now_s - horizon_s)
        while self._next_s <= now_s:
            self._join(self._next_s)
            self._next_s += random.expovariate(storm.rate)
        return self._join(now_s)

    def _join(self, at_s: float) -> float | None:
        assert self._free_s is not None
        begins_s = max(self._free_s, at_s)
        if begins_s - at_s > self.storm.queue * self.storm.service_s:
            return None
        self._free_s = begins_s + self.storm.service_s
        return self._free_s - at_s


class FaultedEndpoint:
    """All faults of one endpoint of one meter.

    Parameters
    ----------
    streams
        Of each fault, in the order in which they began.
    """

    __slots__ = ("_streams",)

    def __init__(self, streams: Sequence[FaultStream]) -> None:
        self._streams = tuple(streams)

    def decide(self, request: bytes, now_s: float) -> Fate:
        """Return the fate of the next request.

        Parameters
        ----------
        request
            Its PDU.
        now_s
            When it came, by any clock [s].
        """
        fate = Fate()
        for stream in self._streams:
            stream.decide(fate, request, now_s)
        return fate

    def spoil(self, frame: bytes) -> bytes:
        """Return a frame with the bits wrong that the line has flipped."""
        for stream in self._streams:
            frame = stream.spoil(frame)
        return frame


def _touches(request: bytes, first: int, last: int) -> bool:
    """Return whether a request reads or writes an address between two."""
    if request[0] not in _ADDRESSED or len(request) < 5:
        return False
    address = int.from_bytes(request[1:3], "big")
    count = int.from_bytes(request[3:5], "big") if request[0] in _MANY else 1
    return address <= last and address + count > first
