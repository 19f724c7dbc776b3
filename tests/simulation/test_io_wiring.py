"""What is wired to I/O modules: switches, schedules, pulses, outputs, transducers; and the way back."""

import numpy as np
import pytest

from tests.sites import SCENARIO, write_site
from twin.contracts import AlarmRecord, BadInputError, Command, Refusal, SoeRecord
from twin.recording import Recording, content_hash
from twin.scenario import load_scenario
from twin.simulation import build_site
from twin.simulation.replaying import live_again, recorded_session

S, MS = 10**9, 10**6
WIRED = """
    accuracy: ideal
    registers: {soe_enable: 1}
    io:
      modules: [io11, io21, io31]
      inputs:
        - {input: di1, switch: SW2}
        - {input: di2, switch: SW2, on_when: open}
        - {input: di3, schedule: [{at: "18:00:10", to: on}, {at: "18:00:12.345", to: off}]}
        - {input: di11, pulses: [{at: "18:00", rate: 0.5}, {at: "18:01", rate: 2}], width: 50 ms}
        - {input: di12, output: {meter: home, output: relay1}, counter: true}
        - {input: di7, output: {meter: home, output: do1}}
      analogue_inputs:
        - {input: ai1, quantity: voltage, bus: HOME, low: 0, high: 250}
        - {input: ai2, profile: [{at: "18:00:30", value: 50}], low: 0, high: 100}
      outputs:
        - {output: relay1, switch: SW2}
        - {output: relay2, switch: SW2, action: close}
"""
HOME = """
    accuracy: ideal
    io: {modules: [io11, io21]}
    registers: {io21_do1_quantity: 1, kwh_pulse_constant: 60000}
"""
QUIET = SCENARIO[: SCENARIO.index("events:")] + "dashboard: null\n"


def scenario(head=WIRED, home=HOME, *, alarms="[]"):
    text = QUIET.replace("    ct: 100:5\n", f"    ct: 100:5\n    alarms: {alarms}{head}", 1)
    return text.replace("    ct: 50:5\n", f"    ct: 50:5{home}", 1)


class Run:
    """A site whose meters are looked at by register name."""

    def __init__(self, folder, text):
        self.loaded = load_scenario(write_site(folder, scenario=text))
        self.site = build_site(self.loaded)
        self.out = folder / "recording"
        self.site.record_to(self.out, overwrite=False)
        self.site.begin()

    @property
    def engine(self):
        return self.site.engine

    def to(self, seconds):
        self.engine.advance_to(self.loaded.start_ns + round(seconds * S))
        return self

    def ask(self, verb, target="head", **arguments):
        return self.engine.apply(Command("test", target, verb, arguments)).refusal

    def raw(self, name, meter=0):
        fleet = self.engine.fleet
        words, at = fleet.words(meter).tolist(), 0
        address, count = next((p.address, p.words) for p in fleet.points(meter) if p.name == name)
        for block in fleet.blocks(meter):
            if block.address <= address < block.address + block.count:
                first = at + address - block.address
                return sum(
                    word << 16 * (count - 1 - k) for k, word in enumerate(words[first : first + count])
                )
            at += block.count
        raise KeyError(name)

    def inputs(self, meter=0):
        fleet, (inputs,) = self.engine.fleet, self.engine.fleet.inputs(meter)
        addresses = [block.address + k for block in fleet.blocks(meter) for k in range(block.count)]
        first = addresses.index(inputs.word)
        low, high = fleet.words(meter).tolist()[first : first + 2]
        bits = low | high << 16
        return [number for number in range(1, 29) if bits >> number - 1 & 1]

    def recorded(self):
        self.site.close()
        return Recording.open(self.out)


@pytest.fixture
def wired(tmp_path):
    run = Run(tmp_path, scenario())
    yield run
    run.site.close()


def test_a_relay_trips_the_breaker_and_inputs_show_it(wired):
    wired.to(5)
    assert wired.inputs() == [1]
    assert wired.ask("write_coil", address=0, on=True) is None
    wired.to(5.049)
    assert wired.inputs() == [1]
    wired.to(5.051)  # 50 ms after the order
    assert wired.inputs() == [2]
    assert not wired.engine.site.switches["SW2"]
    wired.ask("write_coil", address=0, on=False)
    wired.ask("write_coil", address=1, on=True)
    wired.to(5.9)
    assert wired.inputs() == [1]
    recording = wired.recorded()
    operated = recording.truth(kind="switch_operated")
    start = wired.loaded.start_ns
    assert [(one.time_ns - start, one.cause, one.detail["closed"]) for one in operated] == [
        (5 * S + 50 * MS, "head relay1", False),
        (5 * S + 101 * MS, "head relay2", True),
    ]
    assert [(one.input, one.on, (one.time_ns - start) // MS) for one in recording.soe(meter="head")] == [
        *(("di1", False, 5050), ("di2", True, 5050)),
        *(("di1", True, 5101), ("di2", False, 5101)),
    ]


def test_a_breakers_contact_captures_its_opening(tmp_path):
    run = Run(tmp_path, scenario(WIRED.replace("soe_enable: 1", "soe_enable: 1, di_trigger_io11: 2")))

    def shown():
        fleet = run.engine.fleet
        return fleet.decode(0, fleet.words(0))["i1"]

    run.to(5)
    closed = shown()
    run.ask("write_coil", address=0, on=True)
    run.to(7)
    opened = shown()
    recording = run.recorded()
    (number,) = [one.number for one in recording.waveforms(meter="head") if one.reason == "di"]
    capture = recording.waveform("head", number)
    assert capture.trigger_ns == run.loaded.start_ns + 5 * S + 50 * MS  # DI1 went off with the breaker
    amperes = capture.raw[3] * capture.scale[3]
    # Ten cycles before the trigger the breaker was closed; the last four after it nothing swings any more.
    assert np.sqrt(np.mean(amperes[:640] ** 2)) == pytest.approx(closed, rel=1e-3)
    assert np.sqrt(np.mean(amperes[-256:] ** 2)) == pytest.approx(opened, rel=1e-3)
    assert opened < 0.7 * closed


def test_a_schedule_moves_an_input_to_the_millisecond(wired):
    wired.to(20)
    assert wired.raw("soe_group_number") == 2
    assert [wired.raw(f"soe2_{name}") for name in ("second", "millisecond", "di_status")] == [12, 345, 0b1]


def test_pulses_are_counted_without_events(wired):
    wired.to(60)
    assert wired.raw("di11_count") == 30
    wired.to(90)
    assert wired.raw("di11_count") == 90


def test_energy_pulses_of_another_meter_are_counted(wired):
    wired.to(300)
    # The home's 3 kW for 5 minutes, 10:1 transformers: 0.25 kWh are 0.025 kWh of the secondary.
    energy = wired.engine.fleet.energies(1)["ep_imp"] / 1000
    assert wired.raw("di7_count") == int(energy / 10 * 60_000)
    assert wired.raw("di7_count") == pytest.approx(1500, rel=0.01)


def test_a_contact_of_another_meter_is_counted(wired):
    wired.to(1)
    for at in (2, 3, 4):
        wired.ask("write_coil", "home", address=0, on=True)
        wired.to(at - 0.5)
        wired.ask("write_coil", "home", address=0, on=False)
        wired.to(at)
    assert wired.raw("di12_count") == 3


def test_transducers_follow_what_they_measure(wired):
    wired.to(10)
    volts = wired.engine.fleet.decode(1, wired.engine.fleet.words(1))
    # The transducer takes the mean of three phases; the meter at HOME sees them.
    mean = (volts["v1"] + volts["v2"] + volts["v3"]) / 3
    assert wired.raw("ai1") == round((4 + 16 * mean / 250) * 4096 / 20)
    assert wired.raw("ai2") == 0
    wired.to(40)
    assert wired.raw("ai2") == round(12 * 4096 / 20)
    wired.ask("open", "SW2")
    wired.to(41)
    assert wired.raw("ai1") == 819


CAPACITOR = 'events:\n  - {event: switch, at: "18:00:03", switch: CAP, to: closed}\n'
OVERLOAD = '[{parameter: i3, comparison: ">", setpoint: 10 A, delay: 200 ms, relay: 1}]'


def test_an_alarm_trips_the_breaker_when_it_is_given(tmp_path):
    run = Run(
        tmp_path,
        scenario(alarms=OVERLOAD) + CAPACITOR,
    )
    run.to(60)  # in one go: time halts where the relay moves
    recording = run.recorded()
    start = run.loaded.start_ns
    alarm = next(one for one in recording.alarms(meter="head") if one.transition == "active")
    assert isinstance(alarm, AlarmRecord)
    assert 3.2 * S <= alarm.time_ns - start <= 3.5 * S
    trip = next(one for one in recording.truth(kind="switch_operated") if one.element == "SW2")
    assert trip.time_ns == alarm.time_ns + 50 * MS
    assert [one.time_ns for one in recording.soe() if one.input in ("di1", "di2")] == [trip.time_ns] * 2


def test_alarm_of_an_input_closes_a_relay_and_records_the_state(tmp_path):
    alarms = "[{parameter: di3, setpoint: '1', relay: 2}, {parameter: di1, setpoint: '3', delay: 1 s}]"
    run = Run(tmp_path, scenario(alarms=alarms).replace("action: close", "action: open"))
    run.to(19.9)
    assert run.inputs() == [2]
    recording = run.recorded()
    start = run.loaded.start_ns
    found = [
        (one.parameter, one.transition, (one.time_ns - start) // MS, one.value)
        for one in recording.alarms(meter="head")
    ]
    assert found == [
        ("di3", "active", 10_000, 0.0),
        ("di1", "active", 11_050, 0.0),
        ("di3", "return", 12_345, 0.0),
    ]


def test_analogue_alarm_looks_at_the_next_tick(tmp_path):
    run = Run(tmp_path, scenario(alarms="[{parameter: ai2, setpoint: '2000'}]"))
    run.to(40)
    (alarm,) = run.recorded().alarms(meter="head")
    assert (alarm.time_ns - run.loaded.start_ns, alarm.value) == (30 * S + 100 * MS, 2458.0)


def test_instructor_moves_inputs(wired):
    wired.to(1)
    assert wired.ask("set_input", input="di5", to="on") is None
    assert wired.ask("set_analogue", input="ai2", value=10.0) is None
    assert wired.inputs() == [1, 5]
    assert wired.raw("ai2") == 2048
    assert wired.ask("set_input", input="di11", to="on") is Refusal.ILLEGAL_VALUE  # wired to pulses
    assert wired.ask("set_input", input="di15", to="on") is Refusal.ILLEGAL_ADDRESS
    assert wired.ask("set_input", input="di5", to="up") is Refusal.ILLEGAL_VALUE
    assert wired.ask("set_analogue", input="ai2", value=25) is Refusal.ILLEGAL_VALUE
    assert wired.ask("write_coil", address=4, on=True) is Refusal.ILLEGAL_ADDRESS


def test_the_same_commands_give_the_same_bits_however_time_is_cut(tmp_path):
    hashes = []
    for cut in (60, 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        run = Run(folder, scenario(alarms=OVERLOAD) + CAPACITOR)
        run.to(7)
        assert run.ask("write_coil", address=1, on=True) is Refusal.ILLEGAL_FUNCTION  # follows alarms
        run.ask("close", "SW2")
        run.ask("set_input", input="di4", to="on")
        for at in range(8, 61, cut):
            run.to(at)
        run.to(60)
        run.recorded()
        hashes.append(content_hash(run.out))
    assert hashes[0] == hashes[1]
    with recorded_session(Recording.open(run.out)) as session, build_site(session.scenario) as again:
        again.record_to(tmp_path / "again", overwrite=False)
        again.begin()
        live_again(
            again.engine,
            session.commands,
            session.reached_ns,
            advance=lambda ns: again.engine.advance_to(ns) is None,
        )
        again.close()
    assert content_hash(tmp_path / "again") == hashes[0]
    found = Recording.open(tmp_path / "again").soe()
    assert len(found) == 7, "two of the trip, two of the closing, two of a schedule, one by hand"
    assert isinstance(found[0], SoeRecord)


@pytest.mark.parametrize(
    ("before", "after", "field", "said"),
    [
        ("input: di1,", "input: di15,", "inputs[0].input", "module io12, which is not connected"),
        ("input: di2,", "input: di1,", "inputs[1].input", "di1 is wired already"),
        ("di1, switch: SW2", "di1, switch: SW3", "inputs[0].switch", "there is no switch 'SW3'"),
        ("meter: home, output: do1", "meter: hom, output: do1", "inputs[5].output.meter", "no meter 'hom'"),
        ("meter: home, output: do1", "meter: home, output: do3", "inputs[5].output.output", "with do3"),
        ("bus: HOME,", "bus: HOMER,", "analogue_inputs[0].bus", "there is no bus 'HOMER'"),
        ("low: 0, high: 250", "low: 7, high: 7", "analogue_inputs[0].high", "the same as low"),
        ("value: 50}], low", "value: 50}], quantity: frequency, low", "analogue_inputs[1]", "a profile or"),
        ("output: relay1, switch", "output: relay5, switch", "outputs[0].output", "module io12"),
        ('at: "18:00:12.345"', 'at: "18:00:09"', "inputs[2].schedule[1].at", "not after the step before"),
        ("low: 0, high: 100}", "low: 0, high: 100, signal: 0-5 V}", "analogue_inputs[1].signal", "one kind"),
        ("modules: [io11, io21, io31]", "modules: [io11, io21, io31, io11]", "modules[3]", "stands twice"),
    ],
)  # fmt: skip
def test_wrong_wires_are_found(tmp_path, before, after, field, said):
    text = scenario()
    assert before in text
    with pytest.raises(BadInputError) as error:
        load_scenario(write_site(tmp_path, scenario=text.replace(before, after, 1)))
    assert any(f"meters[0].io.{field}" == one.field and said in one.what for one in error.value.findings)
