"""How a COMTRADE file is refused: by file, line, channel and mend."""

from twin.contracts import BadInputError, Finding, Mark, TwinError


class ComtradeWriteError(TwinError, ValueError):
    """Something that the COMTRADE standard has no place for."""


def refuse(file: str, what: str, mend: str, *, line: int = 0, field: str = "") -> BadInputError:
    """Return the error for one thing that is wrong with a file.

    Parameters
    ----------
    file : str
        Path of the file.
    what, mend : str
        What is wrong, and what to do about it; sentences without a full stop.
    line : int
        1-based; 0 where the file is binary or the whole of it is meant.
    field : str
        The channel or the field that is wrong.
    """
    return BadInputError(Finding(Mark(file, line), field, what, mend))
