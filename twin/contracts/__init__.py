"""What rooms exchange: frozen data, protocols and the root exception. No logic lives here."""

from twin.contracts.command import Answer, Command, Refusal
from twin.contracts.errors import BadInputError, Finding, Mark, TwinError
from twin.contracts.frame import (
    AlarmLine,
    BranchLine,
    BusLine,
    Diagram,
    Frame,
    MeterLine,
    SwitchLine,
    TapLine,
)
from twin.contracts.reading import Reading, WindowMeasure
from twin.contracts.record import (
    AlarmRecord,
    CommandRecord,
    EventRecord,
    IntervalBlock,
    IntervalRecord,
    MeterInfo,
    Record,
    RegisterRecord,
    TruthEntry,
    WaveformRecord,
)
from twin.contracts.register_image import (
    BEYOND_REGISTERS,
    Access,
    BitBlock,
    Device,
    Point,
    RegisterBlock,
    RegisterReader,
    RetrievalWindow,
    SerialPort,
)
from twin.contracts.signal import SampledBlock, Segment, Signal
from twin.contracts.time import NS_PER_SECOND, Instant

__all__ = [
    "BEYOND_REGISTERS",
    "NS_PER_SECOND",
    "Access",
    "AlarmLine",
    "AlarmRecord",
    "Answer",
    "BadInputError",
    "BitBlock",
    "BranchLine",
    "BusLine",
    "Command",
    "CommandRecord",
    "Device",
    "Diagram",
    "EventRecord",
    "Finding",
    "Frame",
    "Instant",
    "IntervalBlock",
    "IntervalRecord",
    "Mark",
    "MeterInfo",
    "MeterLine",
    "Point",
    "Reading",
    "Record",
    "Refusal",
    "RegisterBlock",
    "RegisterReader",
    "RegisterRecord",
    "RetrievalWindow",
    "SampledBlock",
    "Segment",
    "SerialPort",
    "Signal",
    "SwitchLine",
    "TapLine",
    "TruthEntry",
    "TwinError",
    "WaveformRecord",
    "WindowMeasure",
]
