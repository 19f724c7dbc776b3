"""What the setting registers of the three data logs mean, and what of them the meter refuses.

References
----------
KW320 manual 4.5 (modes, sectors), 6.3.8 (setting blocks, register list, timer).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from twin.contracts import NS_PER_SECOND

LOGS: Final = 3
SECTORS: Final = 100
"""Sectors that the three logs share."""
SECTOR_BYTES: Final = 65536
MAX_REGISTERS: Final = 117
"""Words of data in a record."""
OVERHEAD_BYTES: Final = 12
"""Of a record beside its data: number 4, time 6, CRC 2."""
LOGGABLE: Final = (
    (0x4000, 0x412B),
    (0x4294, 0x42A8),
    (0x4349, 0x4398),
    (0x4500, 0x461B),
    (0x4620, 0x463D),
)
"""Addresses that a register list may name, as closed ranges."""
MODES: Final[tuple["Mode", ...]] = ("ring", "window", "daily")
"""By the value of the mode register: mode 1, 2 and 3 of the manual."""

Mode = Literal["ring", "window", "daily"]

_EPOCH = datetime(1970, 1, 1)
_TIME_WORDS = ("year_month", "day_hour", "minute_second")
_LAYOUT = ("registers_sectors", "interval_minutes")


@dataclass(frozen=True, slots=True)
class DataLogSettings:
    """One data log as it is set."""

    addresses: tuple[int, ...] = ()
    """Registers of a record, word by word."""
    sectors: int = 0
    interval_minutes: int = 0
    mode: Mode = "ring"
    start_ns: int | None = None
    """Mode window: wall time of the first record, as of `MeterClock.local_ns`; None is no date [ns]."""
    end_ns: int | None = None
    """Mode window: wall time after which nothing is recorded [ns]."""
    daily_minute: int | None = None
    """Mode daily: minute of the day; None is no time of the day [min]."""

    @property
    def record_bytes(self) -> int:
        """Size of a record with number, time and CRC; 0 without registers."""
        return OVERHEAD_BYTES + 2 * len(self.addresses) if self.addresses else 0

    @property
    def sector_records(self) -> int:
        """Records in a sector; none lies in two."""
        return SECTOR_BYTES // self.record_bytes if self.addresses else 0

    @property
    def max_records(self) -> int:
        """Records that the log holds."""
        return self.sectors * self.sector_records

    @property
    def enabled(self) -> bool:
        """Whether registers, sectors and interval are all other than zero (6.3.8)."""
        return bool(self.addresses and self.sectors and self.interval_minutes)

    @property
    def timing(self) -> tuple[object, ...]:
        """What settles when it records: logs that share it, and the time, record together."""
        return self.mode, self.interval_minutes, self.start_ns, self.end_ns, self.daily_minute

    @property
    def faulty(self) -> bool:
        """Whether the register list names what cannot be logged."""
        return not all(map(is_loggable, self.addresses))


def is_loggable(address: int) -> bool:
    """Return whether a register list may name an address."""
    return any(low <= address <= high for low, high in LOGGABLE)


def data_log_settings(raw: Mapping[str, int], log: int) -> DataLogSettings:
    """Return what the registers of a log say.

    Parameters
    ----------
    raw : Mapping of str to int
        Raw value of every setting register by name.
    log : int
        1..3.
    """
    prefix = f"log{log}_"
    registers, sectors = divmod(raw[prefix + "registers_sectors"], 0x100)
    hour = raw[prefix + "start_day_hour"] & 0xFF
    minute = raw[prefix + "start_minute_second"] >> 8
    return DataLogSettings(
        addresses=tuple(raw[f"{prefix}register_{place}"] for place in range(1, registers + 1)),
        sectors=sectors,
        interval_minutes=raw[prefix + "interval_minutes"],
        mode=MODES[raw[prefix + "mode"]],
        start_ns=_wall_ns(raw[f"{prefix}start_{name}"] for name in _TIME_WORDS),
        end_ns=_wall_ns(raw[f"{prefix}end_{name}"] for name in _TIME_WORDS),
        daily_minute=60 * hour + minute if hour < 24 and minute < 60 else None,
    )


def data_log_problem(raw: Mapping[str, int]) -> str | None:
    """Return why a meter refuses the settings of its logs, though each register is in range.

    A register list that names the wrong addresses is taken, and shown as an error by the retrieval window.
    """
    taken = 0
    for log in range(1, LOGS + 1):
        name = f"log{log}_registers_sectors"
        registers, sectors = divmod(raw[name], 0x100)
        if registers > MAX_REGISTERS:
            return f"{name}: {registers} registers (high byte) is out of range 0..{MAX_REGISTERS}"
        if sectors > SECTORS:
            return f"{name}: {sectors} sectors (low byte) is out of range 0..{SECTORS}"
        taken += sectors
    if taken > SECTORS:
        return f"log1..3_registers_sectors: {taken} sectors in all; the three logs share {SECTORS}"
    return None


def touched_logs(names: Iterable[str]) -> tuple[int, ...]:
    """Return the numbers of the logs to which setting registers belong, ascending."""
    found = {name[3] for name in names if name.startswith("log") and name[3:4].isdigit()}
    return tuple(sorted(map(int, found)))


def stamp_words(stamp: Mapping[str, int]) -> tuple[int, int, int]:
    """Return a stamp of the clock as logs hold it: year and month, day and hour, minute and second.

    References
    ----------
    KW320 manual 6.3.8, logging timer: of each two, the first is the high byte; of the year two digits.
    """
    return (
        stamp["year"] % 100 << 8 | stamp["month"],
        stamp["day"] << 8 | stamp["hour"],
        stamp["minute"] << 8 | stamp["second"],
    )


def _wall_ns(words: Iterable[int]) -> int | None:
    """Return the wall time of three words, or None where there is no such date [ns]."""
    year, month, day, hour, minute, second = (part for word in words for part in divmod(word, 0x100))
    try:
        at = datetime(2000 + year, month, day, hour, minute, second)
    except ValueError:
        return None
    return int((at - _EPOCH).total_seconds()) * NS_PER_SECOND
