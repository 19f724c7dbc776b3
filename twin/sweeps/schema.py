"""The parameter file of a sweep: what varies, over which values, in which combinations.

A page explains it with an example: ``docs/sweeps.md``.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from twin.documents import Second
from twin.scenario.equipment_schema import Part

Scalar = bool | int | float | str | None
"""What a single key of a scenario or network file can hold."""
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60)]
Path_ = str | Annotated[list[str], Field(min_length=1)]
_PATH = "key to set, for example events[0].bus or network.lines[L3].length_m; a list sets them all alike"
Pair = Annotated[list[Scalar], Field(min_length=2, max_length=2)]
Whole = Annotated[list[int], Field(min_length=2, max_length=2)]
Section = Literal["grid", "together", "random"]


class Steps(Part):
    """Evenly spaced values."""

    first: Scalar = Field(description="first value: a number, a quantity or a time")
    last: Scalar = Field(description="last value, of the same kind")
    count: int = Field(ge=2, le=1_000_000, description="how many, both ends included")


class Values(Part):
    """A parameter that takes one value after the other."""

    path: Path_ = Field(description=_PATH)
    values: list[Scalar] | None = Field(None, min_length=1, description="each of these")
    range: Whole | None = Field(None, description="whole numbers from the first to the last, both included")
    steps: Steps | None = Field(None, description="evenly spaced numbers, quantities or times")

    @model_validator(mode="after")
    def _one_kind(self) -> "Values":
        if [self.values, self.range, self.steps].count(None) != 2:
            raise ValueError("does not say its values once; give one of values, range and steps")
        return self


class Normal(Part):
    """A normal distribution, cut off where limits are given."""

    mean: Scalar = Field(description="a number, a quantity or a time")
    sd: Scalar = Field(description="standard deviation; of a time a duration")
    low: Scalar = Field(None, description="nothing below this is drawn")
    high: Scalar = Field(None, description="nothing above this is drawn")


class Draw(Part):
    """A parameter that is drawn at random."""

    path: Path_ = Field(description=_PATH)
    uniform: Pair | None = Field(None, description="[low, high]: equally likely everywhere between")
    log_uniform: Pair | None = Field(None, description="[low, high], above 0: the logarithm is uniform")
    normal: Normal | None = Field(None, description="mean, sd and, if wanted, low and high")
    integers: Whole | None = Field(None, description="[low, high]: whole numbers, both included")
    choice: list[Scalar] | None = Field(None, min_length=1, description="one of these")
    weights: list[float] | None = Field(None, description="of the choices; equal when absent")

    @property
    def distribution(self) -> str:
        """Name of the distribution that is given."""
        return next(name for name in DISTRIBUTIONS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_distribution(self) -> "Draw":
        if sum(getattr(self, name) is not None for name in DISTRIBUTIONS) != 1:
            raise ValueError(f"has no one distribution; give one of {', '.join(DISTRIBUTIONS)}")
        return self


DISTRIBUTIONS = ("uniform", "log_uniform", "normal", "integers", "choice")


class Balance(Part):
    """An energy balance: what meters at the supply count and those at the customers do not."""

    supplied: list[str] = Field(min_length=1, description="meters through which energy comes in")
    delivered: list[str] = Field(min_length=1, description="meters through which it goes out")


class Sweep(Part):
    """The variants of a scenario."""

    version: Literal[1] = Field(description="version of this format")
    title: str = Field("", max_length=80)
    duration: Second | None = Field(None, gt=0, description="each variant runs so long; else its scenario's")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="what is drawn at random follows from it")
    count: int | None = Field(
        None, ge=1, le=10_000_000, description="draws of the random parameters; 1 when absent"
    )
    grid: dict[ColumnName, Values] = Field(
        default_factory=dict, description="parameters of which every combination is run"
    )
    together: dict[ColumnName, Values] = Field(
        default_factory=dict, description="parameters whose first values go together, then the second, .."
    )
    random: dict[ColumnName, Draw] = Field(
        default_factory=dict, description="parameters that are drawn, the same draws for every combination"
    )
    balance: Balance | None = Field(
        None, description="meters of an energy balance, for the column balance_wh"
    )

    def parameters(self) -> Iterator[tuple[Section, str, Values | Draw]]:
        """Yield every parameter with its section and name, in the file's order."""
        yield from (("grid", name, entry) for name, entry in self.grid.items())
        yield from (("together", name, entry) for name, entry in self.together.items())
        yield from (("random", name, entry) for name, entry in self.random.items())
