"""The tag list of a SCADA import: which value of which device stands in which registers, inputs or coils."""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from twin.contracts import BadInputError, Finding, Mark
from twin.documents import csv_rows, read_csv_text

WORDS = {"uint16": 1, "int16": 1, "uint32": 2, "int32": 2, "float32": 2}
"""Registers that a value of each type takes."""
BITS = ("input", "coil")
"""Types of what is no register: discrete inputs (function 02) and coils (function 01), each 0 or 1."""
_FORMAT = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "float32": ">f"}
_NEEDED = ("meter", "name", "0-based address", "type", "scale", "unit")
_MEND = "write it with: twin export points SCENARIO > FILE"


@dataclass(frozen=True, slots=True)
class TagAddress:
    """Where a value stands and what it means."""

    meter: str
    name: str
    address: int
    """0-based."""
    type: str
    """A key of ``WORDS``, or one of ``BITS``."""
    scale: float
    """Units in one count."""
    unit: str
    low_first: bool = False
    """Whether the low word of two comes first."""

    @property
    def words(self) -> int:
        """How many registers it takes; of an input or coil, how many bits."""
        return WORDS.get(self.type, 1)

    def value(self, words: Sequence[int]) -> float:
        """Return the value of its registers, in its unit; NaN where a float is no finite number."""
        if self.type in BITS:
            return float(words[0])
        ordered = words[::-1] if self.low_first else words
        raw = struct.unpack(_FORMAT[self.type], b"".join(word.to_bytes(2, "big") for word in ordered))[0]
        return float(raw) * self.scale if math.isfinite(raw) else math.nan


def read_tag_list(path: Path | str) -> dict[tuple[str, str], TagAddress]:
    """Read a tag list.

    Returns
    -------
    dict
        By meter and name.

    Raises
    ------
    BadInputError
        With a finding for each line that cannot be used.
    """
    return parse_tag_list(read_csv_text(path, mend=_MEND), str(path))


def parse_tag_list(text: str, file: str) -> dict[tuple[str, str], TagAddress]:
    """Return the tag list of a text; parameters and errors as of ``read_tag_list``."""
    reader = csv_rows(text, file, needed=_NEEDED, mend=_MEND)
    tags: dict[tuple[str, str], TagAddress] = {}
    findings: list[Finding] = []
    for row in reader:
        mark = Mark(file, reader.line_num)
        try:
            tag = TagAddress(
                meter=row["meter"],
                name=row["name"],
                address=int(row["0-based address"]),
                type=row["type"],
                scale=float(row["scale"] or 1),
                unit=row["unit"] or "",
                low_first=(row.get("word order") or "").startswith("low"),
            )
        except (TypeError, ValueError) as error:
            findings.append(Finding(mark, "", f"cannot be read ({error})", "write it anew or mend the line"))
            continue
        if tag.type not in WORDS and tag.type not in BITS:
            what, mend = f"{tag.type!r} is no type", f"give one of {', '.join((*WORDS, *BITS))}"
            findings.append(Finding(mark, "type", what, mend))
        elif not 0 <= tag.address <= 0x10000 - tag.words:
            what = f"{tag.address} is no address"
            findings.append(Finding(mark, "0-based address", what, "give 0 to 65535"))
        tags[tag.meter, tag.name] = tag
    if findings:
        raise BadInputError(*findings)
    return tags
