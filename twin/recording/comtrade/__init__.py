"""COMTRADE files of the revisions 1991, 1999 and 2013: a lenient reader and a strict writer.

COMTRADE (IEEE C37.111, IEC 60255-24) is the common format of fault recorders and power-quality meters:
a text that describes the channels (``.cfg``) and a table of samples (``.dat``), or both in one ``.cff``.
"""

from twin.recording.comtrade.configuration import (
    AnalogChannel,
    ComtradeConfiguration,
    ComtradeRecording,
    DataFormat,
    DigitalChannel,
    SampleRate,
)
from twin.recording.comtrade.failure import ComtradeWriteError
from twin.recording.comtrade.reader import read_comtrade
from twin.recording.comtrade.writer import write_comtrade

__all__ = [
    "AnalogChannel",
    "ComtradeConfiguration",
    "ComtradeRecording",
    "ComtradeWriteError",
    "DataFormat",
    "DigitalChannel",
    "SampleRate",
    "read_comtrade",
    "write_comtrade",
]
