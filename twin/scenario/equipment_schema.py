"""Machines, inverters, chargers, batteries and industrial loads of a scenario file.

Each field's description is the source of the JSON Schema and of the scenario reference.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from twin.documents import Hertz, Percent, Second, Volt, VoltAmpere, Watt, WattHour

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", max_length=60)]
Side = Literal["a", "b", "c", "abc"]
Share = Annotated[float, Field(ge=0, le=1)]
CurvePoint = Annotated[list[float], Field(min_length=2, max_length=2)]


class Part(BaseModel):
    """What every part of a scenario has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class ZipShares(Part):
    """How a load's power follows its voltage: shares at rated voltage that sum to 1."""

    z: float = Field(0.0, description="active power: constant impedance, with the square of voltage")
    i: float = Field(0.0, description="active power: constant current, with voltage; the rest is constant")
    q_z: float | None = Field(None, description="reactive power: constant impedance; as z when absent")
    q_i: float | None = Field(None, description="reactive power: constant current; as i when absent")


Zip = str | ZipShares
RESISTIVE = frozenset({"water_heater", "space_heater"})
"""Thermostatic devices that are a constant impedance while on; the others keep their power."""
ZIP_TEXT = "a class of voltage dependence, for example residential, or shares; the network file's when absent"


class Thermostatic(Part):
    """Loads that keep a temperature: after an outage they all want power at once."""

    model: Literal["thermostatic"]
    loads: Literal["all"] | list[str] = Field(
        "all", description="names of network loads, or all that no other entry names"
    )
    device: Literal[
        "water_heater", "space_heater", "heat_pump", "refrigerator", "cold_store", "air_conditioner"
    ] = Field("water_heater", description="what the fields that are absent are taken from")
    count: int = Field(1, ge=1, le=1000, description="devices on each network load, phase after phase")
    power: Watt | None = Field(None, gt=0, description="of one device while on, at rated voltage")
    capacity: float | None = Field(None, gt=0, description="of the store in J/K")
    resistance: float | None = Field(None, gt=0, description="between store and surroundings in K/W")
    low: float | None = Field(None, description="lower threshold in degC")
    high: float | None = Field(None, description="upper threshold in degC")
    ambient: float | None = Field(None, description="temperature around the store in degC")
    spread: Percent = Field(
        20.0, ge=0, lt=100, description="power, capacity and resistance of single devices lie in this range"
    )


class InverterKeys(Part):
    """What an inverter does beside delivering power; without any of these it just delivers."""

    ride_through: Literal["EN50549-1", "IEEE1547-II"] | None = Field(
        None,
        description="when it pauses, trips and comes back; EN 50549-1 at 50 Hz, IEEE 1547 at 60 Hz when any "
        "other of these fields is given",
    )
    volt_var: Literal["IEEE1547-A", "IEEE1547-B"] | list[CurvePoint] | None = Field(
        None, description="reactive power delivered over the rating, by voltage over the rated one"
    )
    volt_watt: Literal["IEEE1547"] | list[CurvePoint] | None = Field(
        None, description="ceiling of active power over the rating, by voltage over the rated one"
    )
    current_limit: Percent | None = Field(None, ge=50, le=300, description="of the rated current; 110 %")
    priority: Literal["active", "reactive"] | None = Field(
        None, description="what is kept when both powers do not fit; reactive when absent"
    )

    @property
    def controlled(self) -> bool:
        """Whether any of these was given."""
        return any(getattr(self, name) is not None for name in InverterKeys.model_fields)


class Order(Part):
    """A battery's power for some hours of each day."""

    start: float = Field(ge=0, lt=24, description="local time in hours, for example 13.5")
    end: float = Field(gt=0, le=24, description="later than start")
    power: Watt = Field(description="positive charges, negative discharges")


class Battery(InverterKeys):
    """A battery with its inverter on a bus."""

    name: Name
    bus: str
    phases: Side = "abc"
    capacity: WattHour = Field(gt=0, description="usable")
    power: Watt = Field(gt=0, description="of the inverter, both ways")
    mode: Literal["self_consumption", "schedule"] = Field(
        "self_consumption", description="hold the power of the loads of 'of' near zero, or follow a schedule"
    )
    of: list[str] = Field(
        default_factory=list, description="self-consumption: loads and generators behind the metering point"
    )
    schedule: list[Order] = Field(default_factory=list)
    initial: Percent = Field(50.0, ge=0, le=100, description="charge at the start")
    efficiency: Percent = Field(95.0, gt=0, le=100, description="one way")


class Range(Part):
    """A mean and how far from it."""

    mean: float
    spread: float = Field(ge=0, description="standard deviation")


class Charger(Part):
    """A charger of an electric vehicle, with the vehicle that uses it."""

    name: Name
    bus: str
    phases: Side = "abc"
    power: Watt = Field(gt=0, description="from the network, all phases together")
    battery: WattHour = Field(58e3, gt=0, description="usable, of the vehicle")
    efficiency: Percent = Field(90.0, gt=0, le=100, description="from the network to the battery")
    share_of_days: Percent = Field(60.0, ge=0, le=100, description="days with a charge")
    arrival: Range = Field(Range(mean=18.0, spread=2.0), description="local time in hours")
    departure: Range = Field(Range(mean=7.5, spread=1.0), description="on the next day, in hours")
    energy: WattHour = Field(12e3, gt=0, description="median of what the battery misses on arrival")


class Starter(Part):
    """How a motor is started."""

    kind: Literal["direct", "star_delta", "soft"] = "direct"
    star_time: Second = Field(6.0, gt=0, description="star-delta: time in star")
    pause: Second = Field(0.05, ge=0, description="star-delta: without supply between star and delta")
    initial_voltage: Percent = Field(40.0, gt=0, le=100, description="soft: at the beginning of the ramp")
    ramp: Second = Field(8.0, gt=0, description="soft: until the full voltage")


class Contactor(Part):
    """The motor's contactor, its coil fed from the motor's bus."""

    drop_out: Percent = Field(50.0, gt=0, lt=100, description="of rated voltage, below which it opens")
    drop_out_delay: Second = Field(0.02, ge=0, description="how long the voltage has to be below")
    pick_up: Percent = Field(85.0, gt=0, le=100, description="from which it can close again")
    restart_delay: Second | None = Field(
        None, ge=0, description="from the return of voltage to the restart; stays off when absent"
    )
    phase: Literal["ab", "bc", "ca"] = Field("ab", description="where the coil lies")


class MotorLoad(Part):
    """What the motor turns."""

    share: Percent = Field(80.0, ge=0, le=150, description="torque at rated speed, of the motor's rated one")
    torque: Literal["constant", "linear", "quadratic"] = Field(
        "quadratic", description="with speed: hoist or compressor, calender, pump or fan"
    )
    breakaway: Percent = Field(0.0, ge=0, le=150, description="torque to leave standstill, of the rated one")


class Motor(Part):
    """A three-phase induction motor on a bus, by its nameplate and catalogue line."""

    name: Name
    bus: str
    power: Watt = Field(gt=0, description="rated, at the shaft")
    rated_voltage: Volt | None = Field(None, gt=0, description="line to line; the bus's when absent")
    speed: float = Field(gt=0, description="at rated load, revolutions per minute")
    efficiency: Percent = Field(93.0, gt=0, lt=100, description="at rated load")
    power_factor: float = Field(0.86, gt=0, lt=1, description="at rated load")
    starting_current: float = Field(6.8, gt=1, description="locked rotor, of the rated current")
    starting_torque: float = Field(2.3, gt=0, description="locked rotor, of the rated torque")
    breakdown_torque: float = Field(2.7, gt=1, description="of the rated torque")
    inertia: float = Field(gt=0, description="of rotor and load at the motor's shaft, kg m2")
    resolution: Percent = Field(
        1.0,
        ge=0.01,
        le=20,
        description="largest step of its current while its speed changes, of the present one",
    )
    running: bool = Field(True, description="in service at the start of the scenario; events switch it")
    load: MotorLoad = Field(default_factory=MotorLoad)
    starter: Starter = Field(default_factory=Starter)
    contactor: Contactor | None = Field(
        default_factory=Contactor, description="null: latched, it follows any voltage"
    )


class Welder(Part):
    """A resistance welder between two phases: trains of whole cycles."""

    name: Name
    bus: str
    power: VoltAmpere = Field(gt=0, description="apparent, while welding at rated voltage")
    power_factor: float = Field(0.5, gt=0, le=1)
    phases: Literal["ab", "bc", "ca"] = "ab"
    on_cycles: int = Field(12, ge=1)
    off_cycles: int = Field(40, ge=1, description="squeeze, hold and the way to the next spot")
    spots: list[int] = Field([5, 15], min_length=2, max_length=2, description="of a piece: least and most")
    pause: list[Second] = Field(
        [5.0, 30.0], min_length=2, max_length=2, description="between two pieces: least and most"
    )


class ArcFurnace(Part):
    """An arc furnace: bore-in, melting and refining, arc by arc."""

    name: Name
    bus: str
    short_circuit_power: VoltAmpere = Field(
        gt=0, description="all electrodes in the bath; about twice the power while melting"
    )
    x_over_r: float = Field(12.0, gt=0, description="of its circuit: transformer, reactor, cables")
    first_wait: list[Second] = Field(
        [0.0, 600.0], min_length=2, max_length=2, description="before the first heat: least and most"
    )
    pause: list[Second] = Field(
        [480.0, 900.0], min_length=2, max_length=2, description="tapping and charging: least and most"
    )


class MotorEvent(Part):
    """A motor that is switched on or off."""

    event: Literal["motor"]
    at: str = Field(description="local time: 18:42, 18:42:10.003, or with a date")
    motor: str = Field(description="name of a motor of the scenario")
    to: Literal["on", "off"]


class Island(Part):
    """A part of the network with a source of its own is cut off; the site follows its frequency.

    Without a source behind the switch the part is dead, and the frequency stays that of the grid.
    """

    event: Literal["island"]
    at: str = Field(description="local time: 18:42, 18:42:10.003, or with a date")
    switch: str = Field(description="opens: the connection to the grid")
    source_switch: str | None = Field(None, description="closes at the same time: the island's own source")
    frequency: Hertz = Field(ge=40, le=70, description="where the island's frequency goes")
    ramp: Second = Field(2.0, ge=0, description="until it is there")
    lasts: Second | None = Field(
        None, gt=0, description="then back to the grid's frequency in the same time, and to the grid"
    )


class FrequencyPoint(Part):
    """The system frequency at a time; straight lines lie between the points."""

    at: str = Field(description="local time: 18:42, 18:42:10.003, or with a date")
    frequency: Hertz = Field(ge=40, le=70)


class SystemFrequency(Part):
    """The fundamental frequency of the grid."""

    offset: float = Field(
        0.0, ge=-10, le=10, description="of the whole scenario from the network's rated one, in Hz"
    )
    profile: list[FrequencyPoint] = Field(
        default_factory=list, description="actual frequency, beginning with the first point; no offset added"
    )
