"""Which registers are read together."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from twin.alarming.tag_list import TagAddress

MOST_REGISTERS = 125
"""Of one read (MODBUS Application Protocol V1.1b3, 6.3)."""
_WIDEST_GAP = 16
"""Registers that are rather read in vain than asked for in a request of their own."""


@dataclass(frozen=True, slots=True)
class RegisterRead:
    """One request."""

    address: int
    """0-based."""
    count: int
    tags: tuple[TagAddress, ...]


def plan_reads(tags: Iterable[TagAddress], known: Collection[int]) -> tuple[RegisterRead, ...]:
    """Return the requests that read all tags.

    Parameters
    ----------
    tags : iterable of TagAddress
    known : collection of int
        Addresses that the device has: a gap between two tags is read over only where it has all of it,
        since one unknown address makes a device refuse the whole request.

    Returns
    -------
    tuple of RegisterRead
        In order of address.
    """
    groups: list[list[TagAddress]] = []
    end = -1
    for tag in sorted(tags, key=lambda tag: (tag.address, tag.name)):
        joins = (
            groups
            and tag.address - end <= _WIDEST_GAP
            and max(end, tag.address + tag.words) - groups[-1][0].address <= MOST_REGISTERS
            and all(address in known for address in range(end, tag.address))
        )
        if joins:
            groups[-1].append(tag)
            end = max(end, tag.address + tag.words)
        else:
            groups.append([tag])
            end = tag.address + tag.words
    return tuple(_read(group) for group in groups)


def _read(group: list[TagAddress]) -> RegisterRead:
    first = group[0].address
    count = max(tag.address + tag.words for tag in group) - first
    return RegisterRead(first, count, tuple(group))
