"""Frames as a fault leaves them on the wire: pure functions of an answer and its fate.

References
----------
MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3; MODBUS over Serial Line Specification
V1.02, section 2.5.1.
"""

import struct
from dataclasses import dataclass

from twin.contracts.transport import Ending
from twin.protocols.fault_decisions import Fate, FaultedEndpoint
from twin.protocols.rtu_framing import encode_frame

TCP_HEADER = struct.Struct(">HHHB")
"""Transaction, protocol, length of what follows, unit."""
_UNITS = 247


@dataclass(frozen=True, slots=True)
class Shaped:
    """What is sent of an answer, and what becomes of the connection then."""

    data: bytes
    ending: Ending = Ending.KEEP


def tcp_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Return an answer with its header."""
    return TCP_HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def shape_tcp(fate: Fate, transaction: int, before: int, unit: int, pdu: bytes) -> Shaped:
    """Return what is sent of an answer over TCP.

    Parameters
    ----------
    fate
        Of the request.
    transaction, before
        Identifiers of the request and of the one before it.
    unit
        That was asked.
    pdu
        Answer.
    """
    if fate.wrong_transaction:
        transaction = (transaction + 1) & 0xFFFF
    elif fate.repeated_transaction:
        transaction = before
    data = fate.copies * tcp_frame(transaction, _unit(fate, unit), pdu)
    if fate.cut is None:
        return Shaped(data)
    return Shaped(data[: fate.cut.after], fate.cut.ending)


def shape_rtu(fate: Fate, endpoint: FaultedEndpoint, unit: int, pdu: bytes) -> list[bytes]:
    """Return the bursts that are sent of an answer on a serial line, each followed by silence.

    Parameters
    ----------
    fate
        Of the request.
    endpoint
        Whose line flips bits.
    unit
        That was asked.
    pdu
        Answer.
    """
    frame = encode_frame(_unit(fate, unit), pdu)
    if fate.wrong_crc:
        frame = frame[:-1] + bytes((frame[-1] ^ 0xFF,))
    if fate.cut is not None:
        frame = frame[: fate.cut.after]
    bursts = [fate.stray + frame, *[frame] * (fate.copies - 1)]
    return [burst for burst in map(endpoint.spoil, bursts) if burst]


def _unit(fate: Fate, unit: int) -> int:
    """Return the unit that answers: the next one where it is wrong."""
    return unit % _UNITS + 1 if fate.wrong_unit else unit
