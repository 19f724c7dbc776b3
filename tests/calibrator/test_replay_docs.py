"""docs/replay.md names every key that is printed, and the thresholds that are used."""

from pathlib import Path

from tests.calibrator.replay_files import replay, three_phases, times, write_csv
from twin.calibrator import replay_events

TEXT = (Path(__file__).parents[2] / "docs" / "replay.md").read_text(encoding="utf-8")


def test_every_key_is_explained(tmp_path, capsys):
    t = times(6400, 0.5)
    read = replay(capsys, write_csv(tmp_path / "x.csv", t, three_phases(t)))
    for key in read:
        assert f"`{key}" in TEXT, key


def test_the_thresholds_are_those_of_the_code():
    for share in (
        replay_events.DIP,
        replay_events.SWELL,
        replay_events.INTERRUPTION,
        replay_events.HYSTERESIS,
    ):
        assert f"{100 * share:.0f} %" in TEXT
    assert f"rapid voltage change {100 * replay_events.CHANGE:.0f} %" in TEXT
    assert f"transient {100 * replay_events.TRANSIENT:.0f} %" in TEXT
