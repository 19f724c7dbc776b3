"""What may go wrong between meters and their masters, as a scenario file has it.

Each field's description is the source of the JSON Schema and of the scenario reference.
"""

from typing import Annotated, Literal

from pydantic import Field

from twin.documents import OftenText, Second, TimeRangeText
from twin.scenario.equipment_schema import Name, Part
from twin.scenario.fault_schema import At

_HIT = "which requests: `5 %` by chance, `every 10`"


class ForcedException(Part):
    """An exception instead of the answer; the request is not carried out."""

    code: int = Field(ge=1, le=255, description="6 busy, 10 path unavailable, 11 no response, ..")
    often: OftenText = Field("100 %", validate_default=True, description=_HIT)
    functions: list[Annotated[int, Field(ge=1, le=127)]] = Field(
        default_factory=list, max_length=20, description="function codes that are hit; all when absent"
    )
    registers: list[Annotated[int, Field(ge=0, le=65535)]] = Field(
        default_factory=list, max_length=2, description="first and last address that is hit; all when absent"
    )


class CutAnswer(Part):
    """An answer of which only the first bytes are sent."""

    often: OftenText = Field("100 %", validate_default=True, description=_HIT)
    after: int = Field(5, ge=0, le=600, description="bytes of the whole frame that are sent")
    then: Literal["keep", "close", "reset"] = Field(
        "keep", description="what becomes of the connection; a serial line keeps"
    )


class Storm(Part):
    """Requests of somebody else, which the device has to serve as well, one after the other."""

    rate: float = Field(gt=0, le=1000, description="requests per second, at random times")
    service: Second = Field(
        0.02, gt=0, le=1, description="what each request takes of the device's time, the master's own as well"
    )
    queue: int = Field(4, ge=0, le=50, description="requests that the device keeps waiting")
    when_full: Literal["busy", "silent"] = Field(
        "busy", description="a request beyond those is answered by exception 06, or not at all"
    )


class Transport(Part):
    """What goes wrong with requests, over whatever they come."""

    latency: TimeRangeText | None = Field(None, description="how much later answers are sent")
    distribution: Literal["uniform", "normal", "long_tail"] = Field(
        "uniform",
        description="of the latency: even within its range; around its middle or falling off from its lower "
        "end, 95 % of it within",
    )
    lost_requests: OftenText | None = Field(None, description="neither carried out nor answered")
    lost_answers: OftenText | None = Field(None, description="carried out, but not answered")
    exception: ForcedException | None = None
    cut: CutAnswer | None = None
    wrong_unit: OftenText | None = Field(None, description="answered under another unit identifier")
    duplicate: OftenText | None = Field(None, description="answered twice")
    storm: Storm | None = None


class SerialGateway(Part):
    """A gateway whose meters hang on one serial line: it asks them one after the other."""

    timeout: Second = Field(
        0.5, gt=0, le=60, description="how long it waits for a meter before it answers exception 0BH"
    )
    baud_rate: int = Field(9600, ge=1200, le=115200, description="of the line behind it [Bd]")


class TcpTransport(Transport):
    """What goes wrong over TCP."""

    wrong_transaction: OftenText | None = Field(
        None, description="TCP: answered under the next transaction identifier"
    )
    repeated_transaction: OftenText | None = Field(
        None, description="TCP: answered under the transaction identifier of the request before"
    )
    connections: int | None = Field(None, ge=1, le=1000, description="TCP: as many as there is room for")
    when_full: Literal["refuse", "wait", "close_oldest"] = Field(
        "refuse",
        description="TCP: one connection more is reset, or served when another ends, or the oldest is closed",
    )
    accept_delay: Second = Field(
        0.0, ge=0, le=600, description="TCP: after what time a new connection is served"
    )


class SerialTransport(Transport):
    """What goes wrong on a serial line."""

    wrong_crc: OftenText | None = Field(None, description="RTU: answered with a wrong CRC")
    glitches: OftenText | None = Field(None, description="RTU: stray bytes before the answer")
    bit_errors: float = Field(
        0.0, ge=0, le=0.5, description="RTU: share of bits that arrive wrong, both ways, for example 1e-4"
    )


class CommunicationFault(TcpTransport, SerialTransport):
    """Something goes wrong between meters and their masters: any of the fields, any number of them."""

    event: Literal["communication_fault"]
    at: str = Field(description=At)
    name: Name
    meters: Literal["all"] | list[str] = Field("all", description="names of meters that have an endpoint")
    over: Literal["any", "tcp", "rtu"] = Field("any", description="which of their endpoints")
    clear_after: Second | None = Field(
        None, gt=0, description="over then; with a repair when absent, or when it has booted"
    )
    refuse: bool = Field(False, description="TCP: nobody listens; who is connected stays so")
    close: bool = Field(False, description="TCP: open connections are closed when it begins")
    reboot: Second | None = Field(
        None,
        gt=0,
        description="the meters lose their supply and have booted after this time: connections die, nobody "
        "listens, nothing is measured",
    )
