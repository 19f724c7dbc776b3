"""A site that is played instead of solved: a three-phase source with its steps, or a recording."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from twin.documents import Ampere, Degree, Hertz, Percent, Second, Volt


def _three(value: object) -> object:
    """Take one value for all phases, or a list of three."""
    return value if isinstance(value, list) else [value] * 3


Volts = Annotated[list[Volt], BeforeValidator(_three), Field(min_length=3, max_length=3)]
Amperes = Annotated[list[Ampere], BeforeValidator(_three), Field(min_length=3, max_length=3)]
Degrees = Annotated[list[Degree], Field(min_length=3, max_length=3)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class SourceTone(_Part):
    """A harmonic or interharmonic of the source."""

    multiple: float = Field(
        gt=0,
        le=100,
        description="of the fundamental: a whole number is a harmonic, any other an interharmonic",
    )
    voltage: Percent = Field(0.0, ge=0, le=100, description="share of the fundamental voltage")
    voltage_angle: Degree = Field(0.0, description="relative to the fundamental of the phase, by cosine")
    current: Percent = Field(0.0, ge=0, le=500, description="share of the fundamental current")
    current_angle: Degree = Field(0.0, description="relative to the fundamental of the phase, by cosine")
    phases: Literal["abc", "a", "b", "c", "ab", "bc", "ac"] = Field("abc", description="those that carry it")


class SourceFluctuation(_Part):
    """A fluctuation of all voltages that makes lamps flicker."""

    shape: Literal["sinusoidal", "rectangular"]
    rate: Hertz = Field(gt=0, le=40, description="whole periods a second; two changes each when rectangular")
    depth: Percent = Field(gt=0, le=100, description="highest less lowest RMS, of their mean")


class SourceStep(_Part):
    """What the source does for a time. Whatever is left out stays as in the step before."""

    duration: Second = Field(gt=0, le=366 * 86400.0)
    frequency: Hertz | None = Field(None, ge=15, le=100)
    frequency_end: Hertz | None = Field(
        None, ge=15, le=100, description="reached steadily by the end of the step"
    )
    voltage: Volts | None = Field(None, description="line to neutral, RMS; one value, or one per phase")
    voltage_end: Volts | None = Field(None, description="reached steadily by the end of the step")
    voltage_angle: Degrees | None = Field(None, description="one per phase, by cosine; 0, -120, 120 at first")
    current: Amperes | None = Field(None, description="RMS; one value, or one per phase; 0 A at first")
    current_lag: Degree | None = Field(None, description="of each current behind its voltage; 0 at first")
    tones: list[SourceTone] | None = Field(
        None, max_length=200, description="[] ends those of the step before"
    )
    fluctuation: SourceFluctuation | Literal["none"] | None = None


class ThreePhaseSource(_Part):
    """A three-phase source, as on a test bench; all meters hang on its terminals."""

    frequency: Hertz = Field(50.0, description="nominal, 50 Hz or 60 Hz")
    voltage: Volt = Field(230.0, gt=0, le=1e6, description="nominal, line to neutral")
    steps: list[SourceStep] = Field(min_length=1, max_length=10_000, description="the last one lasts")


class PlayedRecording(_Part):
    """A waveform recording that is played on the terminals of all meters.

    Before it the site does steadily what the recording's first cycles do, after it what its last ones do.
    """

    file: str = Field(description="COMTRADE (.cfg or .cff) or CSV file, relative to the scenario")
    at: str = Field(description="local time of its first sample: 18:42, 18:42:10.003, or with a date")
    channels: dict[str, str] = Field(
        default_factory=dict,
        description="names in the file of va, vb, vc, ia, ib, ic, where they do not tell",
    )
    frequency: Hertz | None = Field(None, description="nominal, 50 Hz or 60 Hz; the file's when absent")
    voltage: Volt | None = Field(
        None, gt=0, description="nominal, line to neutral; from the recording when absent"
    )
