"""OpenDSS scripts that cannot be converted: each finding names file, line, object and mend."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.grid.opendss_cases import HEAD, HOUSE, SCRIPTS, network_of
from twin.contracts import BadInputError
from twin.grid.importers.opendss_script import read_opendss


@pytest.fixture
def read(tmp_path):
    """Return what reads a script's text."""
    return partial(network_of, tmp_path)


def refused(read, text):
    with pytest.raises(BadInputError) as caught:
        read(text)
    return caught.value.findings


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("new generator.g bus1=head", "new", "class 'generator'"),
        ("sovle", "", "did you mean 'solve'"),
        ("allocateloads", "", "cannot be carried out"),
        ("redirect nowhere.dss", "redirect", "no file 'nowhere.dss'"),
        ("new load.x bus1=(house", "", "is not closed"),
        ("new load.x bus1=house kww=3", "load.x", "no property 'kww'"),
        ("new load.x bus1=house kw=abc", "load.x.kw", "is no number"),
        ("new load.x bus1=house kw=(100 2 *)", "load.x.kw", "reverse Polish"),
        ("new load.x bus1=house model=4", "load.x.model", "model 4"),
        ("new load.x bus1=house model=8", "load.x", "zipv"),
        ("new load.x bus1=house xfkva=50", "load.x.xfkva", "allocation"),
        ("new load.x bus1=house conn=star", "load.x.conn", "give wye or delta"),
        ("new load.x bus1=house.1.2.3.5 kv=0.4", "load.x", "connected to nothing else"),
        ("new load.x bus1=house.1.1 phases=1 kv=0.4", "load.x", "between nodes 1 and 1"),
        ("new load.x bus1=house.one phases=1", "load.x.bus1", "a node that is no number"),
        ("new load.x kv=0.4", "load.x", "has no bus1"),
        ("new load.x bus1=nowhere", "bus nowhere", "no line or transformer joins it"),
        ("new load.x bus1=house kv=.4 spectrum=mine", "load.x.spectrum", "no spectrum 'mine'"),
        ("new load.l bus1=house\nnew load.L bus1=house", "load.L", "stands twice"),
        ("edit load.none kw=3", "edit", "there is no load 'none'"),
        ("new line.k bus1=head bus2=x linecode=none", "line.k.linecode", "no linecode 'none'"),
        ("new line.k bus1=head bus2=x geometry=g", "line.k.geometry", "geometry"),
        ("new line.k bus1=head bus2=x length=-1", "line.k.length", "positive length"),
        ("new line.k bus1=head bus2=x units=yard", "line.k.units", "no unit of length"),
        ("new line.k bus1=head.1.2.3 bus2=x.2.1.3", "line.k", "joins conductors 'abc' to 'bac'"),
        ("new line.k bus1=head bus2=x r1=1 rmatrix=[1|0 1|0 0 1]", "line.k.rmatrix", "ignores a matrix"),
        ("new line.k bus1=head bus2=x xmatrix=[1|0 1]", "line.k.xmatrix", "give 3 rows of 3"),
        ("new transformer.t windings=3 buses=[head a b]", "transformer.t.windings", "3 windings"),
        ("new transformer.t buses=[head a.2.1.3] kvs=[.4 .1]", "transformer.t", "nodes are 2, 1, 3"),
        ("new transformer.t phases=2 buses=[head a]", "transformer.t", "has 2 phases"),
        (
            "new transformer.t buses=[head a.2.3.1] conns=[delta wye] kvs=[.4 .1]",
            "transformer.t",
            "is a Dyn9",
        ),
        ("new regcontrol.r transformer=t winding=2", "regcontrol.r", "no transformer 't'"),
        ("new regcontrol.r transformer=t winding=1", "regcontrol.r", "give winding=2"),
        ("new capacitor.c bus1=house bus2=head", "capacitor.c.bus2", "in series"),
        ("new reactor.r bus1=house", "reactor.r", "between one conductor and earth"),
        ("open line.l 1 2", "line.l", "conductor 2 alone"),
        ("set frequency=60", "set frequency", "60 Hz a circuit for 50 Hz"),
        ("buscoords nowhere.csv", "buscoords", "no file"),
    ],
)
def test_what_cannot_be_converted_is_named(read, text, field, words):
    """With file, line, object and mend."""
    findings = refused(read, HEAD + HOUSE + text + "\n")
    assert len(findings) == 1
    finding = findings[0]
    assert finding.field == field
    assert words in f"{finding.what}; {finding.mend}"
    assert finding.mend
    assert finding.where.file.endswith("script.dss")
    if not field.startswith("bus "):
        assert finding.where.line == 5 + text.count("\n")


def test_all_findings_come_at_once(read):
    findings = refused(
        read,
        HEAD + HOUSE + "new load.x bus1=house model=9\nnew load.y bus1=house conn=q\nnew line.z bus1=head\n",
    )
    assert [finding.where.line for finding in findings] == [7, 5, 6]


def test_a_neutral_conductor_is_not_passed_over(read):
    """A load to earth beside a neutral conductor has no counterpart; a neutral that floats is a mistake."""
    four = HEAD + "new line.l bus1=head.1.2.3.4 bus2=house.1.2.3.4 phases=4 c1=0 c0=0\n"
    earth = "new reactor.e phases=1 bus1=head.4 r=1 x=0\n"
    (finding,) = refused(read, four + earth + "new load.x bus1=house.1 phases=1 kv=0.23\n")
    assert finding.field == "load.x"
    assert "connect it to the neutral (node 4)" in finding.mend
    (finding,) = refused(read, four + "new load.x bus1=house.1.4 phases=1 kv=0.23\n")
    assert "floats" in finding.what


def test_findings_of_the_network_name_the_script(read):
    findings = refused(read, HEAD + HOUSE + "new line.k bus1=head bus2=head r1=1\n")
    assert [(finding.where.line, finding.field) for finding in findings] == [(5, "line.k.to")]


def test_files_in_a_circle_end(read, tmp_path):
    (tmp_path / "a.dss").write_text("redirect script.dss\n")
    findings = refused(read, "redirect a.dss\n")
    assert "circle" in findings[0].what


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(BadInputError, match="cannot be read"):
        read_opendss(tmp_path / "none.dss")
    (tmp_path / "empty.dss").write_text("! nothing\n")
    with pytest.raises(BadInputError, match="describes no circuit"):
        read_opendss(tmp_path / "empty.dss")


def test_a_circuit_without_a_source(read):
    (finding,) = refused(read, HEAD + HOUSE + "disable vsource.source\n")
    assert "no source that is enabled" in finding.what


WORDS = [
    "",
    "0",
    "-1",
    "1e400",
    "nan",
    "()",
    "(1",
    "=",
    "x.y.z",
    "~",
    "like=",
    "a.0.0.0",
    "wdg=0",
    "delta",
    "|",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(["four_wire", "isolated", "single_phase", "open_delta"]),
    place=st.floats(0.0, 1.0, exclude_max=True),
    word=st.sampled_from(WORDS),
    after=st.booleans(),
)
def test_a_damaged_script_gives_findings_or_a_network(read, name, place, word, after):
    """One word of a good script is replaced, or the text after its sign of equality."""
    text = (SCRIPTS / f"{name}.dss").read_text()
    lines = [line.split(" ") for line in text.splitlines()]
    places = [(i, j) for i, words in enumerate(lines) for j, old in enumerate(words) if old]
    i, j = places[int(place * len(places))]
    key, sign, _ = lines[i][j].partition("=")
    lines[i][j] = key + sign + word if after and sign else word
    findings = ()
    try:
        network, _ = read("\n".join(" ".join(words) for words in lines))
        assert network.buses
    except BadInputError as error:
        findings = error.findings
    assert all(finding.what and finding.mend for finding in findings)
