"""The example of docs/numbers.md is run and compared with what the page shows."""

import re
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "docs" / "numbers.md").read_text(encoding="utf-8")


def test_the_example_prints_what_the_page_shows(capsys):
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    exec(example, {})
    assert capsys.readouterr().out == shown


def test_every_public_name_that_the_page_mentions_exists():
    from twin import metrology, signals

    words = set(re.findall(r"`(?:twin\.(?:signals|metrology)\.)?([a-z_]+)`", TEXT))
    functions = {name for room in (metrology, signals) for name in room.__all__}
    fields = {"frequency", "v", "i", "vll", "i_n", "p", "s", "angle", "harmonic", "theta", "va", "vb"}
    fields |= {"p_fundamental", "q_fundamental", "q_budeanu", "v_positive", "i_zero", "thd"}
    assert words <= functions | fields
