"""One form for every refused setting: which device, which field, what value, and the mend."""

import math
from collections.abc import Callable

from twin.grid.errors import GridError


def refuse(device: str, field: str, value: object, mend: str) -> GridError:
    """Return the error that says that ``field`` of ``device`` cannot be ``value``, and what can be."""
    return GridError(f"{device}: {field} = {value!r} cannot be; {mend}")


def check_positive(device: str, **values: float) -> None:
    """Refuse what is not a finite number above zero.

    Raises
    ------
    GridError
        Naming the device, the field, its value and the mend.
    """
    _check(device, values, lambda x: x > 0.0, "give a finite number above zero")


def check_not_negative(device: str, **values: float) -> None:
    """Refuse what is not a finite number of zero or more.

    Raises
    ------
    GridError
        Naming the device, the field, its value and the mend.
    """
    _check(device, values, lambda x: x >= 0.0, "give a finite number of zero or more")


def check_share(device: str, **values: float) -> None:
    """Refuse what is not above zero and at most one.

    Raises
    ------
    GridError
        Naming the device, the field, its value and the mend.
    """
    _check(device, values, lambda x: 0.0 < x <= 1.0, "give a share above 0 and at most 1")


def check_choice(device: str, choices: tuple[str, ...], **values: str) -> None:
    """Refuse what is none of ``choices``.

    Raises
    ------
    GridError
        Naming the device, the field, its value and the mend.
    """
    for field, value in values.items():
        if value not in choices:
            raise refuse(device, field, value, f"choose one of {', '.join(choices)}")


def time_passes(device: str, seconds: float) -> bool:
    """Return whether any time passes.

    Raises
    ------
    GridError
        When ``seconds`` is no duration.
    """
    if not 0.0 <= seconds < math.inf:
        raise refuse(device, "seconds", seconds, "time passes by a finite number of zero or more")
    return seconds > 0.0


def _check(device: str, values: dict[str, float], good: Callable[[float], bool], mend: str) -> None:
    for field, value in values.items():
        # A comparison with NaN is false, so NaN is refused by both parts.
        if not (math.isfinite(value) and good(value)):
            raise refuse(device, field, value, mend)
