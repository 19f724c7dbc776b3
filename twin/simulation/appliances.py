"""What households own, read from ``appliances.yaml``: states, harmonic spectra and the course of a use."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from twin.contracts import NS_PER_SECOND
from twin.documents import Second, Watt, read_yaml, validate
from twin.simulation.load_sink import Draw, add_draws, make_draw, reactive_power

APPLIANCES_FILE = Path(__file__).with_name("appliances.yaml")

Range = tuple[Second, Second]
HourWeights = Annotated[tuple[float, ...], Field(min_length=24, max_length=24)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Spectrum(_Entry):
    """Harmonic currents relative to the fundamental, as a table or as a rectifier's current pulse."""

    table: dict[int, tuple[float, float]] = {}
    """Order: percent of the fundamental, degrees at the crest of the fundamental current."""
    conduction_degrees: float | None = None
    """Width of the half-cosine pulse that a rectifier with a smoothing capacitor draws [degree]."""
    source: str


class State(_Entry):
    """What an appliance draws in one of its states: of itself, or as the sum of other states."""

    power: Watt = 0.0
    power_factor: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    leading: bool = False
    spectrum: str = "linear"
    sum: tuple[str, ...] = ()


class Step(_Entry):
    """One state, kept for a while."""

    state: str
    duration: Range | None = None
    one_of: tuple[Range, ...] = ()

    @model_validator(mode="after")
    def _lasts(self) -> "Step":
        if (self.duration is None) == (not self.one_of):
            raise ValueError("has neither or both of 'duration' and 'one_of'; give one of them")
        return self

    @property
    def ranges(self) -> tuple[Range, ...]:
        """The equally likely ranges of the duration [s]."""
        return self.one_of if self.duration is None else (self.duration,)

    @property
    def mean(self) -> float:
        """The expected duration [s]."""
        return sum(low + high for low, high in self.ranges) / (2 * len(self.ranges))


class Repeat(_Entry):
    """Steps in turn until the time is over."""

    repeat: Annotated[tuple[Step, ...], Field(min_length=1)]
    duration: Range


Course = tuple[Step | Repeat, ...]
"""What happens during one use, in order."""


class Use(_Entry):
    """How often an appliance is used, and when."""

    per_year: Annotated[float, Field(gt=0.0)]
    """Uses a year of a household whose energy target asks for no scaling."""
    habit: str
    needs: Literal["somebody", "darkness", "nobody"] = "somebody"
    """Somebody awake at home; that and darkness; or nothing."""
    attended: bool = False
    """Switched off when nobody is awake at home any more; its course is then a single part."""
    heating_season: bool = False
    """Only from October to April."""
    winter: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share by which uses exceed the mean in the middle of January and fall short in July."""
    fixed: bool = False
    """Exactly ``per_year / 365`` (rounded) uses a day, not scaled with the energy target."""


class Appliance(_Entry):
    """One kind of appliance."""

    owned_by: Annotated[float, Field(ge=0.0, le=1.0)]
    count: tuple[int, int] = (1, 1)
    power_spread: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.12
    """Ratings of single devices lie this share around the power of the states."""
    for_3500_kwh: bool = False
    """Many small devices: the power holds for 3,500 kWh a year, otherwise their number is in proportion."""
    forgone: bool = False
    """Households of little energy do without."""
    states: dict[str, State]
    course: Course = ()
    always: bool = False
    use: Use | None = None
    source: str


class Habit(_Entry):
    """Weights of starting a use, by hour of local time and kind of day."""

    workday: HourWeights
    saturday: HourWeights
    sunday: HourWeights


class Catalogue(_Entry):
    """The whole of ``appliances.yaml``."""

    spectra: dict[str, Spectrum]
    habits: dict[str, Habit]
    appliances: dict[str, Appliance]
    _ratios: dict[tuple[str, tuple[int, ...]], NDArray[np.complex128]] = PrivateAttr(default_factory=dict)

    def ratio(self, spectrum: str, orders: tuple[int, ...]) -> NDArray[np.complex128]:
        """Return a spectrum as `spectrum_ratio` does, computed once."""
        key = (spectrum, orders)
        if key not in self._ratios:
            self._ratios[key] = spectrum_ratio(self.spectra[spectrum], orders)
        return self._ratios[key]

    @model_validator(mode="after")
    def _names_exist(self) -> "Catalogue":
        for name, appliance in self.appliances.items():
            for state in appliance.states.values():
                if state.spectrum not in self.spectra:
                    raise ValueError(f"{name} has the unknown spectrum '{state.spectrum}'; define it")
                if any(part not in appliance.states or appliance.states[part].sum for part in state.sum):
                    raise ValueError(f"{name} sums up {state.sum}; name states that are no sums themselves")
            unknown = {step.state for step in _steps(appliance.course)} - {*appliance.states, "rest"}
            if unknown:
                raise ValueError(f"{name}'s course has the unknown state '{min(unknown)}'; define it")
            if appliance.use is not None and appliance.use.habit not in self.habits:
                raise ValueError(f"{name} has the unknown habit '{appliance.use.habit}'; define it")
            if appliance.use is not None and appliance.use.attended and len(appliance.course) != 1:
                raise ValueError(f"{name} is attended and has {len(appliance.course)} parts; give it one")
            if bool(appliance.course) != (appliance.always or appliance.use is not None):
                raise ValueError(f"{name} has a course that nothing starts, or none; mend 'course' or 'use'")
        return self


@functools.cache
def read_appliances(path: Path = APPLIANCES_FILE) -> Catalogue:
    """Return the catalogue of appliances.

    Raises
    ------
    twin.contracts.BadInputError
        The file cannot be read or does not fit the schema.
    """
    return validate(read_yaml(path), Catalogue)


def pulse_ratio(conduction: float, order: int) -> float:
    r"""Return harmonic over fundamental of the current pulses of a rectifier with a smoothing capacitor.

    Each half cycle carries one pulse of half a cosine, of width w, on the crest of the fundamental.
    Its Fourier coefficients are

    .. math:: c_h \propto \frac{\cos(h w / 2)}{(\pi / w)^2 - h^2}, \quad h = 1, 3, 5, \ldots

    Parameters
    ----------
    conduction : float
        Width w, 0 < w <= pi [rad].
    order : int
        Harmonic order h; even orders vanish.

    References
    ----------
    N. Mohan, T. Undeland, W. Robbins, "Power Electronics", 3rd ed., section 5-3 (shape of the current
    of a single-phase rectifier with a capacitor); the coefficients are the elementary integral.
    """
    if order % 2 == 0:
        return 0.0
    return _pulse_coefficient(conduction, order) / _pulse_coefficient(conduction, 1)


def _pulse_coefficient(conduction: float, order: int) -> float:
    denominator = (math.pi / conduction) ** 2 - order**2
    if abs(denominator) < 1e-9:
        return conduction * conduction / (4.0 * math.pi)
    return math.cos(order * conduction / 2.0) / denominator


def spectrum_ratio(spectrum: Spectrum, orders: Sequence[int]) -> NDArray[np.complex128]:
    """Return the harmonics of a spectrum over its fundamental, shape (orders,); 1 at order 1.

    The angle is that of the harmonic at the crest of the fundamental current.
    """
    ratio = np.zeros(len(orders), dtype=np.complex128)
    for at, order in enumerate(orders):
        percent, degrees = spectrum.table.get(order, (0.0, 0.0))
        ratio[at] = percent / 100.0 * np.exp(1j * math.radians(degrees))
        if spectrum.conduction_degrees is not None:
            ratio[at] += pulse_ratio(math.radians(spectrum.conduction_degrees), order)
        if order == 1:
            ratio[at] = 1.0
    return ratio


@dataclass(frozen=True, slots=True, eq=False)
class Device:
    """One appliance of one household, with its rating."""

    kind: Appliance
    draws: tuple[Draw, ...]
    """What it draws in each state; the last one is ``rest``."""
    states: tuple[str, ...]
    """Names of the states, in the order of ``draws``."""


def make_device(
    catalogue: Catalogue,
    kind: Appliance,
    orders: Sequence[int],
    rng: np.random.Generator,
    *,
    size: float = 1.0,
) -> Device:
    """Return a device whose rating is drawn from the spread of its kind, times a size."""
    rating = size * (1.0 + kind.power_spread * (2.0 * rng.random() - 1.0))
    simple = {
        name: _draw(catalogue, state, rating, orders) for name, state in kind.states.items() if not state.sum
    }
    nothing = Draw(0.0, 0.0, np.zeros(len(orders), dtype=np.complex128))
    names = (*(name for name in kind.states if name != "rest"), "rest")
    draws = []
    for name in names:
        parts = kind.states[name].sum if name in kind.states else ()
        draws.append(add_draws([simple[part] for part in parts]) if parts else simple.get(name, nothing))
    return Device(kind, tuple(draws), names)


def _draw(catalogue: Catalogue, state: State, rating: float, orders: Sequence[int]) -> Draw:
    ratio = catalogue.ratio(state.spectrum, tuple(orders))
    p = state.power * rating
    q = reactive_power(p, state.power_factor, leading=state.leading)
    return make_draw(p, q, ratio, orders)


def draw_course(
    course: Course, states: Sequence[str], rng: np.random.Generator
) -> tuple[list[int], list[int]]:
    """Return one run through a course: durations [ns] and positions in ``states``."""
    durations: list[int] = []
    positions: list[int] = []
    for part in course:
        if isinstance(part, Step):
            ranges = part.ranges
            low, high = ranges[0] if len(ranges) == 1 else ranges[int(rng.integers(len(ranges)))]
            durations.append(round((low + (high - low) * rng.random()) * NS_PER_SECOND))
            positions.append(states.index(part.state))
        else:
            times, turns = _draw_repeat(part, rng)
            names = [states.index(step.state) for step in part.repeat]
            durations += times
            positions += [names[turn] for turn in turns]
    return durations, positions


def _draw_repeat(part: Repeat, rng: np.random.Generator) -> tuple[list[int], list[int]]:
    """Return durations [ns] and positions within the repeated steps, cut at the drawn total."""
    low = np.array([step.ranges[0][0] for step in part.repeat])
    high = np.array([step.ranges[0][1] for step in part.repeat])
    total = round((part.duration[0] + (part.duration[1] - part.duration[0]) * rng.random()) * NS_PER_SECOND)
    rounds = math.ceil(total / (NS_PER_SECOND * low.sum()))
    drawn = low + (high - low) * rng.random((rounds, len(low)))
    ends = np.cumsum(np.rint(drawn.ravel() * NS_PER_SECOND).astype(np.int64))
    last = int(np.searchsorted(ends, total))
    ends = ends[: last + 1]
    ends[-1] = total
    durations = np.diff(ends, prepend=0).tolist()
    return durations, [at % len(low) for at in range(len(durations))]


def course_energy(course: Course, device: Device) -> float:
    """Return the expected energy of one run through a course, above the state of rest [Wh]."""
    rest = device.draws[-1].p
    power = {name: draw.p - rest for name, draw in zip(device.states, device.draws, strict=True)}
    joule = 0.0
    for part in course:
        if isinstance(part, Step):
            joule += power[part.state] * part.mean
        else:
            seconds = sum(step.mean for step in part.repeat)
            mean = sum(power[step.state] * step.mean for step in part.repeat) / seconds
            joule += mean * sum(part.duration) / 2.0
    return joule / 3600.0


def course_duration(course: Course) -> float:
    """Return the expected duration of one run through a course [s]."""
    return sum(part.mean if isinstance(part, Step) else sum(part.duration) / 2.0 for part in course)


def sample_durations(part: Step | Repeat) -> NDArray[np.float64]:
    """Return equally likely durations of a part of a course [s], in the middle of equal shares."""
    ranges = part.ranges if isinstance(part, Step) else (part.duration,)
    share = (np.arange(16) + 0.5) / 16.0
    return np.concatenate([low + (high - low) * share for low, high in ranges])


def _steps(course: Course) -> list[Step]:
    return [step for part in course for step in ([part] if isinstance(part, Step) else part.repeat)]
