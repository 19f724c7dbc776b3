"""The table of registers: what its notation stands for, and that the kw320's is laid out as its manual."""

import pytest

from twin.contracts import RegisterBlock
from twin.meters.kw320.profile import image_map, register_map
from twin.meters.register_map import RegisterMap, RegisterMapError

HEADER = "address,stride,words,name,dtype,code,unit,access,range,default,region,source,seal\n"


def read(tmp_path, *rows):
    path = tmp_path / "registers.csv"
    path.write_text(HEADER + "\n".join(rows) + "\n")
    return RegisterMap.read(path)


def test_one_brace_counts(tmp_path):
    table = read(tmp_path, "104E,5,1,alarm{1..3}_parameter,word,F1,,RW,0..40|51,0,alarms,setting,")
    assert [(r.name, r.address) for r in table.registers] == [
        ("alarm1_parameter", 0x104E),
        ("alarm2_parameter", 0x1053),
        ("alarm3_parameter", 0x1058),
    ]
    first = table.by_name["alarm1_parameter"]
    assert [raw for raw in (0, 40, 41, 50, 51, 52) if first.allows(raw)] == [0, 40, 51]
    assert first.range_text == "0..40, 51"


def test_two_braces_have_a_stride_each_and_name_the_source(tmp_path):
    table = read(tmp_path, "4062,34;1,1,v{1..2}_h{2..3},word,F19,%,R,,,harmonics,basic.v{0}_h{1},")
    assert [(r.name, r.address, r.source) for r in table.registers] == [
        ("v1_h2", 0x4062, "basic.v1_h2"),
        ("v1_h3", 0x4063, "basic.v1_h3"),
        ("v2_h2", 0x4084, "basic.v2_h2"),
        ("v2_h3", 0x4085, "basic.v2_h3"),
    ]


def test_one_stride_for_two_braces_lets_the_last_run_fastest(tmp_path):
    table = read(tmp_path, "4620,2,2,ep{a b}_{imp exp},dword,F4/F7,kWh,RW,0..999999999,0,energy,energy.x,")
    assert [r.name for r in table.registers] == ["epa_imp", "epa_exp", "epb_imp", "epb_exp"]
    assert [r.address for r in table.registers] == [0x4620, 0x4622, 0x4624, 0x4626]


def test_blocks_and_regions_follow_from_the_rows(tmp_path):
    table = read(
        tmp_path,
        "0010,,2,a,dword,F1,,RW,,,one,setting,",
        "0012,,1,b,word,F1,,R,,,one,setting,",
        "0013,,1,c,word,F1,,RW,,,two,setting,",
        "0020,,1,d,word,F1,,RW,,,one,setting,",
    )
    assert table.blocks == (RegisterBlock(0x10, 4), RegisterBlock(0x20, 1))
    assert table.write_regions == (
        (RegisterBlock(0x10, 2), RegisterBlock(0x20, 1)),
        (RegisterBlock(0x13, 1),),
    )
    assert table.by_address[0x11] == (table.by_name["a"], 1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["0010,,2,a,dword,F1,,R,,,x,s,", "0011,,1,b,word,F1,,R,,,x,s,"], "a and b share address 0011H"),
        (["0010,,1,a,word,F1,,R,,,x,s,", "0011,,1,a,word,F1,,R,,,x,s,"], "names stand twice: a"),
        (["0010,,1,a,float,F1,,R,,,x,s,"], "a float does not take 1 words"),
        (["0010,,1,a{1..2},word,F1,,R,,,x,s,"], "strides do not fit the braces"),
    ],
)
def test_contradictions_are_named(tmp_path, rows, message):
    with pytest.raises(RegisterMapError, match=message):
        read(tmp_path, *rows)


# Address, name, data type, code, access; typed from the manual's tables 6.3.1 to 6.3.8.
ROWS_OF_THE_MANUAL = [
    (0x0FFD, "rated_frequency", "word", "F1", "RW"),
    (0x1003, "voltage_wiring", "word", "F1", "RW"),
    (0x1009, "ct2", "word", "F1", "RW"),
    (0x101D, "basic_parameter_mode", "word", "F1", "RW"),
    (0x1045, "second", "word", "F3", "RW"),
    (0x104E, "alarm1_parameter", "word", "F1", "RW"),
    (0x109C, "alarm16_delay", "word", "F1", "RW"),
    (0x300E, "fast_v31", "float", "F1", "R"),
    (0x303A, "fast_pf", "float", "F1", "R"),
    (0x4010, "vll_avg", "float", "F1", "R"),
    (0x4022, "p_sum", "float", "F1", "R"),
    (0x402A, "q_sum", "float", "F1", "R"),
    (0x4032, "s_sum", "float", "F1", "R"),
    (0x4040, "load_type", "float", "F1", "R"),
    (0x4046, "s_demand", "float", "F1", "R"),
    (0x4048, "ep_imp", "dword", "F4/F7", "RW"),
    (0x4056, "eq_net", "dword", "F5/F8", "RW"),
    (0x4058, "es", "dword", "F6/F9", "RW"),
    (0x405A, "thd_v1", "word", "F18", "R"),
    (0x4061, "thd_i_avg", "word", "F18", "R"),
    (0x4062, "v1_h2", "word", "F19", "R"),
    (0x407F, "v1_h31", "word", "F19", "R"),
    (0x4080, "v1_odd", "word", "F20", "R"),
    (0x4083, "v1_thff", "word", "F24", "R"),
    (0x4084, "v2_h2", "word", "F19", "R"),
    (0x40C7, "v3_thff", "word", "F24", "R"),
    (0x40C8, "i1_h2", "word", "F19", "R"),
    (0x40E8, "i1_k_factor", "word", "F23", "R"),
    (0x40E9, "i2_h2", "word", "F19", "R"),
    (0x412A, "i3_k_factor", "word", "F23", "R"),
    (0x4136, "max_v1", "int", "F11", "R"),
    (0x413C, "max_v1_second", "int", "F3", "R"),
    (0x4191, "max_frequency", "word", "F10", "R"),
    (0x41A6, "max_s_demand", "int", "F15", "R"),
    (0x41E4, "max_thd_i3_second", "int", "F3", "R"),
    (0x41E5, "min_v1", "int", "F11", "R"),
    (0x4293, "min_thd_i3_second", "int", "F3", "R"),
    (0x4294, "ua_positive_real", "int", "F11", "R"),
    (0x429F, "ia_zero_imag", "int", "F12", "R"),
    (0x42A4, "angle_i3_v1", "word", "F25", "R"),
    (0x42A9, "alarm_record1_status", "word", "F1", "R"),
    (0x4348, "alarm_record16_millisecond", "word", "F3", "R"),
    (0x4500, "v1_h32", "word", "F19", "R"),
    (0x45BF, "i3_h63", "word", "F19", "R"),
    (0x4604, "i3_demand", "float", "F1", "R"),
    (0x461A, "max_i3_demand_second", "int", "F3", "R"),
    (0x462C, "eqa_imp", "dword", "F5/F8", "RW"),
    (0x463C, "esc", "dword", "F6/F9", "RW"),
    (0x463E, "last1_ep_imp", "dword", "F4/F7", "RW"),
    (0x466C, "last1_esc", "dword", "F6/F9", "RW"),
    (0x475E, "last7_ep_imp", "dword", "F4/F7", "RW"),
    (0x478C, "last7_esc", "dword", "F6/F9", "RW"),
    (0x8004, "rated_voltage", "word", "F1", "RW"),
    (0x800F, "clear_pq_events", "word", "F1", "RW"),
    (0x8CFD, "newest_event", "word", "F1", "R"),
    (0x8D4F, "event10_half_cycles", "word", "F1", "R"),
    (0x8E43, "waveform_window_64", "int", "F1", "R"),
]


@pytest.mark.parametrize(("address", "name", "dtype", "code", "access"), ROWS_OF_THE_MANUAL)
def test_row_of_the_manual(address, name, dtype, code, access):
    register = register_map("kw320q").by_name[name]
    assert (register.address, register.dtype, register.code, register.access) == (
        address,
        dtype,
        code,
        access,
    )


def test_what_is_not_modelled_does_not_exist():
    addresses = register_map("kw320q").by_address
    for address in (0x0FFC, 0x10C6, 0x3220, 0x412C, 0x443A, 0x478E, 0x1340, 0x607F, 0x610C, 0x8010):
        assert address not in addresses


@pytest.mark.parametrize(
    "block",
    [(0x412B, 1), (0x42A5, 4), (0x4381, 4), (0x4391, 8), (0x45C0, 64), (0x461B, 1)],
    ids=lambda b: f"{b[0]:04X}H",
)
def test_loggable_addresses_without_a_quantity_read_zero(block):
    first, count = block
    for address in range(first, first + count):
        register, _ = register_map("kw320").by_address[address]
        assert register.source == "zero"


def test_plain_model_has_no_power_quality():
    plain, power_quality = register_map("kw320").by_address, register_map("kw320q").by_address
    lost = set(power_quality) - set(plain)
    assert lost == {a for a in power_quality if a >= 0x8000}
    assert len(register_map("kw320").write_regions) == len(register_map("kw320q").write_regions) - 3


def test_windows_are_not_part_of_the_image():
    blocks = image_map("kw320q").blocks
    assert blocks[-3:] == (RegisterBlock(0x8000, 16), RegisterBlock(0x10100, 3), RegisterBlock(0x10200, 1))
    assert RegisterBlock(0x0FFD, 0x10C6 - 0x0FFD) in blocks  # tables 6.3.1 to 6.3.5, with what is reserved
    assert RegisterBlock(0x4000, 0x12C) in blocks


def test_settings_regions_are_those_of_the_manual():
    # Manual 6.3, important note: one write stays in one of these regions.
    starts = [region[0].address for region in register_map("kw320q").write_regions]
    settings = [0x0FFD, 0x101E, 0x103F, 0x1046, 0x104E, 0x109E, 0x1100, 0x11C0, 0x1280]
    assert starts == [*settings, 0x4048, 0x6000, 0x8000, 0x8CFE, 0x8E00]
