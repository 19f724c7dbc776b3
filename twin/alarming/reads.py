"""Which registers, inputs and coils are read together."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from twin.alarming.tag_list import BITS, TagAddress

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
    kind: str = "register"
    """What is read: ``register``, ``input`` or ``coil``."""


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
        Registers in order of address, then inputs and coils, each by one request: what devices have of them
        stands together.
    """
    wanted = sorted(tags, key=lambda tag: (tag.address, tag.name))
    registers = [tag for tag in wanted if tag.type not in BITS]
    bits = [_read([tag for tag in wanted if tag.type == kind], kind) for kind in BITS]
    return (*_register_reads(registers, known), *(read for read in bits if read.tags))


def _register_reads(tags: Iterable[TagAddress], known: Collection[int]) -> list[RegisterRead]:
    """Return the requests for tags in order of their address."""
    groups: list[list[TagAddress]] = []
    end = -1
    for tag in tags:
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
    return [_read(group) for group in groups]


def _read(group: Sequence[TagAddress], kind: str = "register") -> RegisterRead:
    first = min((tag.address for tag in group), default=0)
    count = max((tag.address + tag.words for tag in group), default=0) - first
    return RegisterRead(first, count, tuple(group), kind)
