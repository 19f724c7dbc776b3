"""The scenario file: which site, which loads, which meters, what happens when.

Each field's description is the source of the JSON Schema and of the scenario reference.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from twin.documents import Ampere, Degree, Ohm, Percent, Second, Volt, VoltAmpere, Watt, WattHour
from twin.scenario.communication_schema import CommunicationFault
from twin.scenario.endpoint_schema import Endpoint, Endpoints, SerialEndpoint
from twin.scenario.equipment_schema import (
    ZIP_TEXT,
    ArcFurnace,
    Battery,
    Charger,
    InverterKeys,
    Island,
    Motor,
    MotorEvent,
    Name,
    SystemFrequency,
    Thermostatic,
    Welder,
    Zip,
)
from twin.scenario.equipment_schema import Part as _Part
from twin.scenario.fault_schema import Conductor, Fault, Repair
from twin.scenario.history_schema import History
from twin.scenario.io_schema import IoModules
from twin.scenario.logging_schema import DataLog, Logger
from twin.scenario.measurement_schema import MeasurementFault, MeterFault
from twin.scenario.played_schema import PlayedRecording, ThreePhaseSource
from twin.scenario.supply_schema import PowerLoss, PowerRestore

Loads = Literal["all"] | list[str]


class Household(_Part):
    """Loads that are lived in: appliances switch as discrete events."""

    model: Literal["household"]
    loads: Loads = Field("all", description="names of network loads, or all that no other entry names")
    annual_energy: WattHour = Field(
        3.4e6, ge=0.7e6, le=8e6, description="mean yearly consumption of the households, 700..8000 kWh"
    )
    annual_energy_spread: Percent = Field(
        30.0, ge=0, le=80, description="standard deviation of the yearly consumption between households"
    )
    residents: int | None = Field(None, ge=1, le=8, description="people; drawn per household when absent")
    zip: Zip | None = Field(None, description=ZIP_TEXT)


class Profile(_Part):
    """Loads that follow a table of active and reactive power over time."""

    model: Literal["profile"]
    loads: Loads = Field("all", description="names of network loads, or all that no other entry names")
    file: str = Field(description="Parquet or CSV file, relative to the scenario")
    zip: Zip | None = Field(None, description=ZIP_TEXT)


class Constant(_Part):
    """Loads that draw their rated power all the time."""

    model: Literal["constant"]
    loads: Loads = Field("all", description="names of network loads, or all that no other entry names")
    share: Percent = Field(100.0, ge=0, description="share of the rated power")
    zip: Zip | None = Field(None, description=ZIP_TEXT)


LoadModel = Annotated[Household | Profile | Constant | Thermostatic, Field(discriminator="model")]


class Location(_Part):
    """Where the site stands, for the sun."""

    latitude: Degree = Field(ge=-90, le=90, description="north positive")
    longitude: Degree = Field(ge=-180, le=180, description="east positive")
    cloudiness: Percent = Field(60.0, ge=0, le=100, description="share of time with clouds before the sun")


class Photovoltaic(InverterKeys):
    """A photovoltaic generator on a bus."""

    name: Name
    bus: str
    phases: Literal["a", "b", "c", "abc"] = "abc"
    peak_power: Watt = Field(gt=0, description="module power at standard test conditions")
    inverter_power: VoltAmpere | None = Field(None, gt=0, description="rating; the peak power when absent")
    tilt: Degree = Field(35.0, ge=0, le=90)
    azimuth: Degree = Field(180.0, ge=0, le=360, description="clockwise from north; 180 deg is south")


class MeterPoint(_Part):
    """What a meter is connected to: a branch's end, or one or more loads and generators."""

    bus: str | None = Field(None, description="bus of the voltage inputs; follows from the branch or load")
    branch: str | None = Field(None, description="line, transformer or switch whose current is measured")
    end: Literal["from", "to"] = Field("from", description="end of the branch at which the CTs sit")
    reverse: bool = Field(
        False, description="CTs turned: positive is power out of the branch into the bus at this end"
    )
    load: str | None = Field(None, description="network load or generator whose current is measured")
    loads: list[str] = Field(default_factory=list, description="several at the same bus")


class Sag(_Part):
    """Voltage sag detection of the meter."""

    threshold: Percent = Field(90.0, ge=20, le=100)
    half_cycles: int = Field(4, ge=4, le=200)
    capture: bool = Field(True, description="record the waveform too")


class Swell(_Part):
    """Voltage swell detection of the meter."""

    threshold: Percent = Field(110.0, ge=50, le=140)
    capture: bool = True


class OverCurrent(_Part):
    """Over-current detection of the meter."""

    threshold: Percent = Field(120.0, ge=50, le=150)
    rated_current: Ampere | None = Field(None, description="CT secondary side; 5 A or 1 A when absent")
    capture: bool = True


class Alarm(_Part):
    """One alarm channel of the meter."""

    channel: int | None = Field(None, ge=1, le=16, description="numbered in order when absent")
    parameter: str = Field(description="monitored quantity, for example v1, i_avg, p_sum, thd_v1")
    comparison: Literal[">", "=", "<"] = ">"
    setpoint: str = Field(description="primary value with unit, for example 180 A")
    delay: Second = Field(0.0, ge=0, le=30)
    relay: int = Field(0, ge=0, le=8, description="relay that is on while the alarm is; 0: none")
    outputs: list[Annotated[int, Field(ge=1, le=4)]] = Field(
        default_factory=list, description="digital outputs that are on while the alarm is"
    )


class SaturatingTransformer(_Part):
    """The core of the meter's current transformers."""

    accuracy_class: str = Field(
        "5P20", pattern=r"^\d+(\.\d+)?P\d+(\.\d+)?$", description="composite error in %, P, limit factor"
    )
    rated_burden: VoltAmpere = Field(10.0, ge=0.1, le=1000, description="at rated secondary current")
    burden: VoltAmpere | None = Field(
        None, ge=0, le=1000, description="connected, with leads; the rated one when absent"
    )
    winding_resistance: Ohm = Field(0.2, ge=1e-3, le=100, description="of the secondary winding")
    time_constant: Second = Field(1.0, ge=0.01, le=1e9, description="with which an offset of the flux decays")
    remanence: Percent = Field(0.0, ge=-90, le=90, description="flux at rest, of the limit flux")


class Demand(_Part):
    """The demands of a meter, as its web page sets them."""

    mode: Literal["sliding", "thermal", "fixed", "rolling"] = Field(
        "sliding",
        description="sliding: each minute; fixed: once a window; rolling: each sub-interval; thermal: a "
        "lag of 90 % in a window",
    )
    window: Second = Field(900.0, ge=60, le=1800, description="whole minutes")
    sub_interval: Second = Field(60.0, ge=60, le=1800, description="of rolling; divides the window")


class Meter(_Part):
    """A meter of the site."""

    name: Name
    profile: str = Field(description="device family, for example kw320q")
    at: MeterPoint = Field(
        default_factory=MeterPoint,
        description="where in the network; left out with a source or a recording, which has one place",
    )
    pt: str | None = Field(None, description="primary:secondary volts, for example 20000:100; none = direct")
    ct: str = Field("5:5", description="primary:secondary amperes, for example 200:5")
    wiring: Literal["3LN", "2LN", "1LN", "1LL", "2LL", "3LL"] = Field(
        "3LN",
        description="of the voltage inputs: three, two or one phase to neutral (1LL is 2LN), two "
        "transformers in open delta, or three lines without neutral",
    )
    current_wiring: Literal["3CT", "2CT", "1CT"] = Field(
        "3CT", description="how many current transformers there are"
    )
    rated_voltage: Volt | None = Field(
        None,
        description="line to neutral, secondary side, for power quality; line to line with 2LL and 3LL; the "
        "bus's when absent",
    )
    demand: Demand = Field(default_factory=Demand, description="how the device averages")
    sag: Sag | None = Field(
        default_factory=Sag,
        description="null: the device's least sensitive setting, as it cannot be switched off",
    )
    swell: Swell | None = Field(
        default_factory=Swell,
        description="null: the device's least sensitive setting, as it cannot be switched off",
    )
    over_current: OverCurrent | None = None
    alarms: list[Alarm] = Field(default_factory=list, max_length=16)
    io: IoModules | None = Field(None, description="I/O modules and what is wired to them")
    registers: dict[str, int] = Field(
        default_factory=dict, description="raw values of further setting registers, by name"
    )
    custom_read: list[str] = Field(
        default_factory=list, max_length=32, description="registers that the custom block 3200H shows"
    )
    data_logs: list[DataLog] = Field(default_factory=list, max_length=3)
    loggers: list[Logger] = Field(default_factory=list, max_length=3)
    energies: dict[str, WattHour] = Field(
        default_factory=dict,
        description="what counters of active energy read at the start, by register, for example ep_imp "
        "or, of the month before, last1_ep_imp",
    )
    load_profile: Second = Field(
        900.0, ge=60, le=3600, description="interval of the load profile, by the meter's clock"
    )
    accuracy: Literal["class", "ideal"] = Field(
        "class", description="class: wrong within its accuracy class, drawn by the seed and the name; ideal"
    )
    temperature: float = Field(
        23.0, ge=-40, le=85, description="of the meter's surroundings in degC; readings drift by the device's"
    )
    fidelity: Literal["closed_form", "sampled"] = Field(
        "closed_form", description="sampled: everything is measured on samples, 512 to the cycle; far slower"
    )
    current_transformer: SaturatingTransformer | None = Field(
        None, description="a protection transformer that saturates; without one currents arrive as they are"
    )
    supply: Literal["always", "bus"] = Field(
        "always",
        description="auxiliary supply: from elsewhere, or from phase a of the bus that the meter measures; "
        "without it the meter is off",
    )
    faults: list[MeterFault] = Field(
        default_factory=list, max_length=20, description="what is wrong with it from the start"
    )
    endpoint: Endpoints | None = Field(None, description="where masters find it; a list of several")

    @property
    def endpoints(self) -> tuple[tuple[tuple[str | int, ...], Endpoint | SerialEndpoint], ...]:
        """Every endpoint, with where it stands within the meter."""
        if self.endpoint is None:
            return ()
        if isinstance(self.endpoint, list):
            return tuple((("endpoint", at), each) for at, each in enumerate(self.endpoint))
        return ((("endpoint",), self.endpoint),)


class Switching(_Part):
    """A switch or capacitor bank that is operated."""

    event: Literal["switch"]
    at: str = Field(description="local time: 18:42, 18:42:10.003, or with a date")
    switch: str = Field(description="name of a switch or switched capacitor of the network")
    to: Literal["open", "closed"]


Event = Annotated[
    Fault
    | Conductor
    | Repair
    | Switching
    | MotorEvent
    | Island
    | PowerLoss
    | PowerRestore
    | MeasurementFault
    | CommunicationFault,
    Field(discriminator="event"),
]


class Dashboard(_Part):
    """The pages."""

    port: int = Field(8050, ge=0, le=65535, description="0 takes a free one")
    host: str | None = Field(None, description="address to bind; the one of --bind when absent")


class Api(_Part):
    """The control interface over HTTP."""

    port: int = Field(8060, ge=0, le=65535, description="0 takes a free one")
    host: str | None = Field(None, description="address to bind; the one of --bind when absent")
    token: str | None = Field(
        None,
        description="what clients must show, 16 to 200 letters, digits and -._~+/; needed where others can "
        "reach the address, else made at the start when absent; TWIN_API_TOKEN goes before it",
    )


class Scenario(_Part):
    """A site and what happens on it."""

    model_config = ConfigDict(title="Scenario")

    version: Literal[1] = Field(description="version of this format")
    title: str = Field(max_length=80)
    description: str = ""
    seed: int = Field(0, ge=0, le=2**63 - 1, description="everything random follows from it")
    start: str = Field(description="local date and time, for example 2026-01-15 06:00")
    time_zone: str = Field("UTC", description="IANA name, for example Europe/London")
    duration: Second = Field(86400.0, gt=0, le=100 * 365.25 * 86400.0, description="at most 100 years")
    network: str | None = Field(
        None, description="network file, relative to the scenario; or else a source or a recording"
    )
    source: ThreePhaseSource | None = Field(None, description="a test bench instead of a network")
    recording: PlayedRecording | None = Field(None, description="a recorded waveform instead of a network")
    location: Location | None = Field(None, description="needed by photovoltaics")
    loads: list[LoadModel] = Field(default_factory=list)
    photovoltaics: list[Photovoltaic] = Field(default_factory=list)
    motors: list[Motor] = Field(default_factory=list)
    chargers: list[Charger] = Field(default_factory=list)
    batteries: list[Battery] = Field(default_factory=list)
    arc_furnaces: list[ArcFurnace] = Field(default_factory=list)
    welders: list[Welder] = Field(default_factory=list)
    frequency: SystemFrequency | None = Field(None, description="the network's rated one when absent")
    meters: list[Meter] = Field(default_factory=list)
    events: list[Event] = Field(default_factory=list)
    history: History = Field(default_factory=History)
    dashboard: Dashboard | None = Field(default_factory=Dashboard)
    api: Api | None = Field(None, description="served when given, or with --api-port")
