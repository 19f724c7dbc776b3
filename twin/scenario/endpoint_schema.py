"""Where masters find a meter: TCP ports and serial lines."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from twin.scenario.communication_schema import SerialGateway, SerialTransport, TcpTransport


class Endpoint(TcpTransport):
    """A TCP port at which a master finds the meter, and what is always wrong with it."""

    protocol: Literal["modbus-tcp"] = "modbus-tcp"
    port: int = Field(ge=0, le=65535, description="0 takes a free one")
    host: str | None = Field(None, description="address to bind; the one of --bind when absent")
    unit: int = Field(1, ge=0, le=255, description="unit identifier; several meters may share a port")
    unit_check: Literal["strict", "silent", "any"] = Field(
        "strict", description="a wrong unit: strict answers exception 0BH, silent nothing, any the meter"
    )
    gateway: SerialGateway | None = Field(
        None, description="the port is a gateway's, which passes requests on to one serial line"
    )


class SerialEndpoint(SerialTransport):
    """A serial line on which a master finds the meter, and what is always wrong with it.

    It sets the registers of the meter's port.
    """

    protocol: Literal["modbus-rtu"]
    device: str = Field(
        pattern=r"^(/.+|pty(:[^/].*|:/.+)?)$",
        description="`/dev/ttyUSB0` or the like; `pty` makes a pair and the ready file says which device to "
        "open; `pty:NAME` the same, shared by all meters that give the name; `pty:/PATH` links it there. "
        "Several meters on one device are one line",
    )
    unit: int = Field(1, ge=1, le=247, description="address at first")
    baud_rate: int | None = Field(
        None, ge=1200, le=38400, description="at first [Bd]; 19200 for port 1, 38400 for port 2 when absent"
    )
    parity: Literal["none", "even", "odd"] = Field("none", description="at first")
    stop_bits: Literal[1, 2] = Field(1, description="at first; 1 with a parity")
    serial_port: Literal[1, 2] = Field(1, description="which port of the meter is connected")

    @property
    def speed(self) -> int:
        """Speed at first: the one given, or that of a new meter's port [Bd]."""
        if self.baud_rate is not None:
            return self.baud_rate
        return 19200 if self.serial_port == 1 else 38400

    @property
    def characters(self) -> str:
        """Data bits, parity and stop bits, for example ``8N1``."""
        return f"8{self.parity[0].upper()}{self.stop_bits}"


def _protocol(given: Any) -> str:
    if isinstance(given, dict):
        return str(given.get("protocol", "modbus-tcp"))
    return str(getattr(given, "protocol", "modbus-tcp"))


AnyEndpoint = Annotated[
    Annotated[Endpoint, Tag("modbus-tcp")] | Annotated[SerialEndpoint, Tag("modbus-rtu")],
    Discriminator(_protocol),
]
Endpoints = Annotated[
    Annotated[AnyEndpoint, Tag("one")] | Annotated[list[AnyEndpoint], Tag("several")],
    Discriminator(lambda given: "several" if isinstance(given, list) else "one"),
]
"""One endpoint, or a list of them."""
