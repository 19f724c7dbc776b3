"""Disjoint runs of register addresses, each with an owner: a retrieval window or a settings region."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Generic, TypeVar

from twin.contracts import RegisterBlock, TwinError

Owner = TypeVar("Owner")


class AddressOverlapError(TwinError, ValueError):
    """Two owners claim the same register."""


class AddressRanges(Generic[Owner]):
    """Who owns which addresses.

    Parameters
    ----------
    claims
        Each owner with its blocks; adjacent blocks of one owner count as one run.

    Raises
    ------
    AddressOverlapError
        Two blocks share an address.
    """

    def __init__(self, claims: Iterable[tuple[Owner, Iterable[RegisterBlock]]]) -> None:
        runs = sorted(
            (
                (block.address, block.address + block.count, owner)
                for owner, blocks in claims
                for block in blocks
            ),
            key=lambda run: run[0],
        )
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._owners: list[Owner] = []
        for start, end, owner in runs:
            if self._ends and start < self._ends[-1]:
                raise AddressOverlapError(
                    f"register {start:#06x} belongs to two register blocks; it must be in one"
                )
            if self._ends and start == self._ends[-1] and owner is self._owners[-1]:
                self._ends[-1] = end
            else:
                self._starts.append(start)
                self._ends.append(end)
                self._owners.append(owner)

    def covering(self, address: int, count: int) -> Owner | None:
        """Return the owner of all the addresses, or None where no single one owns them all."""
        run = bisect_right(self._starts, address) - 1
        return self._owners[run] if run >= 0 and address + count <= self._ends[run] else None

    def touches(self, address: int, count: int) -> bool:
        """Return whether any of the addresses is owned."""
        run = bisect_right(self._starts, address + count - 1) - 1
        return run >= 0 and self._ends[run] > address
