"""The tag list that a SCADA system imports."""

import csv
import io
from dataclasses import dataclass

from twin.contracts import Access, BitBlock, Point
from twin.protocols import points_csv


@dataclass
class Pointed:
    name: str
    points: tuple[Point, ...]
    coils: tuple[BitBlock, ...] = ()
    inputs: tuple[BitBlock, ...] = ()


def test_lists_every_point_of_every_meter():
    frequency = Point("frequency", 0x4000, 2, "float32", "high first", 1.0, "Hz", Access.READ)
    energy = Point("ep_imp", 0x4048, 2, "uint32", "high first", 0.1, "kWh", Access.READ_WRITE)
    ct1 = Point("ct1", 0x1008, 1, "uint16", "", 1.0, "A", Access.READ_WRITE)
    text = points_csv([Pointed("head", (frequency, energy)), Pointed('a "b", c', (ct1,))])
    assert text == (
        "meter,name,0-based address,4xxxxx address,type,word order,scale,unit,access\n"
        "head,frequency,16384,416385,float32,high first,1,Hz,R\n"
        "head,ep_imp,16456,416457,uint32,high first,0.1,kWh,RW\n"
        '"a ""b"", c",ct1,4104,404105,uint16,,1,A,RW\n'
    )
    assert [row["4xxxxx address"] for row in csv.DictReader(io.StringIO(text))] == [
        "416385",
        "416457",
        "404105",
    ]


def test_lists_inputs_and_relays_by_the_numbers_that_masters_use():
    device = Pointed(
        "head", (), (BitBlock(0, 2, 9, "relay"),), (BitBlock(16, 2, 8, "di"), BitBlock(40, 9, 7))
    )
    rows = list(csv.DictReader(io.StringIO(points_csv([device]))))
    found = [tuple(row[key] for key in ("name", "0-based address", "4xxxxx address", "type")) for row in rows]
    assert found == [
        ("di1", "16", "100017", "input"),
        ("di2", "17", "100018", "input"),
        ("relay1", "0", "000001", "coil"),
        ("relay2", "1", "000002", "coil"),
    ]
    assert [row["access"] for row in rows] == ["R", "R", "RW", "RW"]


def test_without_meters_there_is_the_header_alone():
    assert points_csv([]).count("\n") == 1
