"""The single-file form of revision 2013: sections of one file, split and joined."""

import re
from dataclasses import dataclass
from typing import Final

from twin.recording.comtrade.failure import refuse

_HEADER: Final = re.compile(
    rb"^[ \t]*-+[ \t]*file type:[ \t]*(\w+)(?:[ \t]+(\w+))?(?:[ \t]*:[ \t]*(\d+))?[ \t]*-+[ \t]*"
    rb"(?:\r\n|\n|\r|\Z)",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class CombinedFile:
    """The two sections of a combined file that matter here."""

    configuration: bytes
    configuration_line: int
    """1-based line at which the configuration begins."""
    data: bytes
    data_line: int
    """1-based line at which the data begins."""
    data_format: str
    """Format that the data section's separator states, upper case; empty when it states none."""


def split_combined(content: bytes, file: str) -> CombinedFile:
    """Return the configuration and the data of a combined file.

    A binary section is as long as its separator says, or else the rest of the file.

    Raises
    ------
    BadInputError
        When a section is missing or shorter than its separator says.

    References
    ----------
    IEEE C37.111-2013, clause 9: sections begin with ``--- file type: CFG ---``.
    """
    configuration: tuple[bytes, int] | None = None
    position = 0
    while (header := _HEADER.search(content, position)) is not None:
        kind, data_format, length = header[1].upper(), (header[2] or b"").upper(), header[3]
        line = content.count(b"\n", 0, header.end()) + 1
        if kind == b"DAT":
            data = _data(content[header.end() :], data_format, length, file)
            if configuration is None:
                mend = "put the section CFG before the section DAT"
                raise refuse(file, "holds data but no configuration before it", mend)
            return CombinedFile(*configuration, data, line, data_format.decode())
        following = _HEADER.search(content, header.end())
        position = following.start() if following else len(content)
        if kind == b"CFG":
            configuration = content[header.end() : position], line
    missing = "data" if configuration else "configuration"
    raise refuse(file, f"holds no {missing} section", "copy the file again from the recorder")


def _data(rest: bytes, data_format: bytes, length: bytes | None, file: str) -> bytes:
    """Return the data section at the start of what follows its separator."""
    if data_format in {b"", b"ASCII"}:
        following = _HEADER.search(rest)
        return rest[: following.start()] if following else rest
    if length is None:
        return rest
    if len(rest) < int(length):
        what = f"is truncated: {len(rest)} bytes of data where {int(length)} are announced"
        raise refuse(file, what, "copy the file again from the recorder")
    return rest[: int(length)]


def join_combined(configuration: bytes, data: bytes, *, data_format: str) -> bytes:
    """Return a combined file with empty information and header sections."""
    length = "" if data_format == "ASCII" else f": {len(data)}"
    parts = [
        b"--- file type: CFG ---\r\n",
        configuration,
        b"--- file type: INF ---\r\n\r\n",
        b"--- file type: HDR ---\r\n\r\n",
        f"--- file type: DAT {data_format}{length} ---\r\n".encode(),
        data,
    ]
    return b"".join(parts)
