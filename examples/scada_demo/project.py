"""From the alarm map to FUXA's project: devices, tags and alarms."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twin.alarming.condition_builder import in_unit
from twin.alarming.grading.map_schema import AlarmMap, ExpectedAlarm
from twin.alarming.tag_list import TagAddress
from twin.contracts import NS_PER_SECOND, BadInputError, Finding
from twin.documents import Document, read_yaml, validate

FARTHEST = 1e12
"""Stands for no limit: an alarm of FUXA is a range of one tag."""
LEVELS = {"high": "highhigh", "medium": "high", "low": "low", None: "info"}
"""FUXA's level of each priority."""
TYPES = {"float32": "Float32", "uint16": "UInt16", "int16": "Int16", "uint32": "UInt32", "int32": "Int32"}
SEPARATOR = "^~^"
"""Between the name and the level of an alarm in FUXA's history."""


class FuxaProject:
    """The project that has FUXA raise the alarms of a map.

    Parameters
    ----------
    file : Path
        The alarm map.
    tags : mapping
        The site's tag list, by meter and name.
    endpoints : mapping of str to (host, port, unit)
        Where each meter answers.

    Raises
    ------
    BadInputError
        The map asks for something that FUXA's alarms cannot express, or cannot be used at all.
    """

    def __init__(
        self,
        file: Path,
        tags: Mapping[tuple[str, str], TagAddress],
        endpoints: Mapping[str, tuple[str, int, int]],
    ) -> None:
        self._document: Document = read_yaml(file)
        self.map = validate(self._document, AlarmMap)
        self._tags = tags
        self._findings: list[Finding] = []
        self._devices: dict[str, dict[str, Any]] = {}
        self._endpoints = endpoints
        self.tags: list[str] = []
        """Ids of all that is polled."""
        self.delays_ns = {
            alarm_name(one.source, one.condition): round(one.on_delay * NS_PER_SECOND)
            for one in self.map.alarms
        }
        """By name of the alarm."""
        self._alarms = [self._alarm(at, alarm) for at, alarm in enumerate(self.map.alarms)]
        if self._findings:
            raise BadInputError(*self._findings)

    def content(self) -> dict[str, Any]:
        """Return what FUXA's interface takes as a project."""
        server = {"id": "0", "name": "FUXA Server", "type": "FuxaServer", "property": {}}
        return {
            "version": "1.02",
            "name": "site-twin",
            "server": server,
            "devices": self._devices,
            "hmi": {"views": [], "layout": {}},
            "alarms": self._alarms,
        }

    def _alarm(self, at: int, alarm: ExpectedAlarm) -> dict[str, Any]:
        limit = getattr(alarm.when, "limit", None)
        others = (alarm.suppressed_when, alarm.release_delay, alarm.off_delay)
        if limit is None or limit.deadband or limit.source not in {None, alarm.source} or any(others):
            self._find(at, "is more than FUXA knows", "give one limit of one tag, with on_delay alone")
            return {}
        meter = alarm.meter or alarm.source
        tag = self._tags.get((meter, limit.tag))
        if tag is None or meter not in self._endpoints:
            self._find(at, f"{meter} has no tag {limit.tag!r} on an endpoint", "see: twin export points")
            return {}
        if tag.type not in TYPES:
            self._find(at, f"{tag.name} of {meter} is no register", "watch it by another system")
            return {}
        value = in_unit(limit.below if limit.above is None else limit.above, tag.unit)
        low, high = (-FARTHEST, value) if limit.above is None else (value, FARTHEST)
        one = {
            "enabled": True,
            "checkdelay": 1,
            "min": low,
            "max": high,
            "timedelay": alarm.on_delay,
            "text": alarm.condition,
            "group": alarm.source,
            "ackmode": "float",
            "bkcolor": "",
            "color": "",
        }
        level = LEVELS[alarm.priority]
        rest = {name: {"enabled": False} for name in LEVELS.values()}
        name = alarm_name(alarm.source, alarm.condition)
        return {"name": name, "property": {"variableId": self._tag(meter, tag)}, **rest, level: one}

    def _tag(self, meter: str, tag: TagAddress) -> str:
        """Have a tag polled; return its id."""
        host, port, unit = self._endpoints[meter]
        device = self._devices.setdefault(
            f"d_{port}_{unit}",
            {
                "id": f"d_{port}_{unit}",
                "name": meter,
                "type": "ModbusTCP",
                "enabled": True,
                "polling": round(self.map.poll * 1000),
                "property": {
                    "address": f"{host}:{port}",
                    "slaveid": str(unit),
                    "connectionOption": "TcpPort",
                    "options": True,  # reads exactly what tags ask for
                },
                "tags": {},
            },
        )
        name = f"t_{port}_{unit}_{tag.name}"
        self.tags.append(name)
        device["tags"][name] = {
            "id": name,
            "name": tag.name,
            "type": TYPES[tag.type] + ("MLE" if tag.low_first else ""),
            "memaddress": "400000",
            "address": str(tag.address + 1),
            "scale": {"mode": "linear", "rawLow": 0, "rawHigh": 1, "scaledLow": 0, "scaledHigh": tag.scale},
            "daq": {"enabled": False},
        }
        return name

    def _find(self, at: int, what: str, mend: str) -> None:
        field = f"alarms[{at}]"
        self._findings.append(Finding(self._document.mark(("alarms", at)), field, what, mend))


def alarm_name(source: str, condition: str) -> str:
    """Return the name by which an alarm goes in FUXA."""
    return f"{source} | {condition}"
