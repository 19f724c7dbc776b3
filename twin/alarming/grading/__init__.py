"""Grading: the journal of an alarm system against what a recorded run should have raised."""

from twin.alarming.grading.grade import grade
from twin.alarming.grading.verdict import AlarmVerdict, Verdict

__all__ = ["AlarmVerdict", "Verdict", "grade"]
