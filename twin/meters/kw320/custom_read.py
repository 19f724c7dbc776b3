"""The custom read block: 64 bytes that show other registers side by side.

References
----------
KW320 manual 5.1.7.6.1.3: 3200H on, firmware 3.51 and later.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from twin.documents import suggestion
from twin.meters.kw320.image import ImageLayout
from twin.meters.kw320.profile import image_map
from twin.meters.register_map import Register

CUSTOM_WORDS: Final = 32
_ZERO: Final = "unassigned_412b"


def custom_read_problems(names: Sequence[str], profile: str) -> Iterator[str]:
    """Yield what is wrong with the registers of a custom block: ``field: what; mend``."""
    known = _readable(profile)
    for name in names:
        if name not in known:
            yield f"custom_read: {name!r} is no register; {suggestion(name, known, 'registers')}"
    words = sum(known[name].words for name in names if name in known)
    if words > CUSTOM_WORDS:
        yield f"custom_read: {2 * words} bytes are too many; the block has {2 * CUSTOM_WORDS}"


@cache
def _readable(profile: str) -> Mapping[str, Register]:
    """Return the registers of a model that its custom block can show, by name."""
    return {r.name: r for r in image_map(profile).registers if r.source != "custom"}


def custom_sources(layout: ImageLayout, names: Sequence[str]) -> NDArray[np.intp]:
    """Return where among the words of an image each word of the block is found, shape (32,).

    Parameters
    ----------
    layout : ImageLayout
    names : sequence of str
        Registers, one after the other; what they leave over reads 0.
    """
    known = layout.registers.by_name
    places = [layout.place(name) + word for name in names for word in range(known[name].words)]
    rest = [layout.place(_ZERO)] * (CUSTOM_WORDS - len(places))
    return np.array(places + rest, np.intp)
