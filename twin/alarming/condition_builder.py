"""From a condition as it is written to one that can be followed."""

from collections.abc import Mapping

from twin.alarming.conditions import (
    Combination,
    Communication,
    Condition,
    Deviation,
    Limit,
    Not,
    RateOfChange,
    Stale,
    State,
    Tag,
)
from twin.alarming.rules_schema import Threshold, When
from twin.alarming.tag_list import TagAddress
from twin.contracts import NS_PER_SECOND, Finding
from twin.documents import Document, parse_quantity, suggestion

_SECONDS = {"min": 60.0, "h": 3600.0}
Path_ = tuple[str | int, ...]


class ConditionBuilder:
    """Builds conditions, and collects findings and the tags that are used.

    Parameters
    ----------
    document : Document
        Where the conditions stand.
    tags : Mapping
        What can be read, by meter and name.
    meters : Mapping of str to str
        Name of the meter behind each source.
    scale : float
        A reader that misunderstands the values takes them for so many times what they are.
    """

    def __init__(
        self,
        document: Document,
        tags: Mapping[tuple[str, str], TagAddress],
        meters: Mapping[str, str],
        *,
        scale: float = 1.0,
    ) -> None:
        self._document, self._tags, self._meters, self._scale = document, tags, meters, scale
        self.used: dict[str, set[TagAddress]] = {name: set() for name in meters}
        """Tags of each source that conditions look at."""
        self.findings: list[Finding] = []

    def condition(self, when: When, source: str, path: Path_) -> Condition | None:
        """Return a condition, or None with a finding.

        Parameters
        ----------
        when : When
        source : str
            Of tags that name none.
        path : tuple
            Where it stands in the document.
        """
        parts = when.all or when.any
        if parts is not None:
            key = "all" if when.all else "any"
            built = [self.condition(part, source, (*path, key, at)) for at, part in enumerate(parts)]
            found = [part for part in built if part is not None]
            return Combination(found, every=key == "all") if found else None
        if when.none is not None:
            part = self.condition(when.none, source, (*path, "not"))
            return part and Not(part)
        if when.communication is not None:
            name = when.communication.source or source
            if not self.known(name, (*path, "communication", "source")):
                return None
            return Communication(name, failures=when.communication.failures)
        return self._on_tag(when, source, path)

    def _on_tag(self, when: When, source: str, path: Path_) -> Condition | None:
        rule, kind = next(
            (rule, name)
            for name in ("limit", "deviation", "rate", "state", "stale")
            if (rule := getattr(when, name)) is not None
        )
        path = (*path, kind)
        address = self._tag(rule.source or source, rule.tag, (*path, "source" if rule.source else "tag"))
        if address is None:
            return None
        tag = Tag(rule.source or source, rule.tag)

        def number(name: str, value: Threshold) -> float:
            return self._threshold(value, address.unit, (*path, name))

        if when.limit is not None:
            above = when.limit.above is not None
            limit = when.limit.above if when.limit.above is not None else when.limit.below
            return Limit(
                tag,
                number("above" if above else "below", 0.0 if limit is None else limit),
                above=above,
                deadband=number("deadband", when.limit.deadband),
            )
        if when.deviation is not None:
            return self._deviation(when, tag, address, source, path)
        if when.rate is not None:
            falling = when.rate.falls is not None
            step = when.rate.falls if when.rate.falls is not None else when.rate.rises
            over = when.rate.over
            return RateOfChange(
                tag,
                number("falls" if falling else "rises", 0.0 if step is None else step) / over,
                over_ns=in_ns(over),
                falling=falling,
                deadband=number("deadband", when.rate.deadband) / over,
            )
        if when.state is not None:
            equals = when.state.equals
            states = frozenset([equals] if isinstance(equals, int) else equals or ())
            return State(tag, states=states, bit=when.state.bit)
        return Stale(tag, for_ns=in_ns(when.stale.unchanged if when.stale else 0.0))

    def _deviation(
        self, when: When, tag: Tag, address: TagAddress, source: str, path: Path_
    ) -> Condition | None:
        rule = when.deviation
        assert rule is not None
        by = self._threshold(rule.by, address.unit, (*path, "by"))
        deadband = self._threshold(rule.deadband, address.unit, (*path, "deadband"))
        if rule.reference is not None:
            reference = self._threshold(rule.reference, address.unit, (*path, "from"))
            return Deviation(tag, reference, by, deadband=deadband)
        if rule.sum_of is not None:
            others = [Tag(other.source or source, other.tag) for other in rule.sum_of]
        else:
            others = [Tag(tag.source, name) for name in rule.mean_of or ()]
        path = (*path, "mean_of" if rule.sum_of is None else "sum_of")
        addresses = [self._tag(other.source, other.name, (*path, at)) for at, other in enumerate(others)]
        units = {found.unit for found in addresses if found is not None}
        if units - {address.unit}:
            what = f"{', '.join(sorted(units))} cannot be compared with {address.unit or 'a number'}"
            self.find(path, what, "give tags of one unit")
            return None
        if None in addresses:
            return None
        return Deviation(tag, others, by, deadband=deadband, summed=rule.sum_of is not None)

    def _tag(self, source: str, name: str, path: Path_) -> TagAddress | None:
        if not self.known(source, path):
            return None
        meter = self._meters[source]
        tag = self._tags.get((meter, name))
        if tag is None:
            names = [known for of, known in self._tags if of == meter]
            self.find(path, f"{meter} has no tag {name!r}", suggestion(name, names, "tags"))
            return None
        self.used[source].add(tag)
        return tag

    def known(self, source: str, path: Path_) -> bool:
        """Return whether there is a source of that name; with a finding where there is none."""
        if source in self._meters:
            return True
        self.find(path, f"{source!r} is no source", suggestion(source, self._meters, "sources"))
        return False

    def _threshold(self, value: Threshold, unit: str, path: Path_) -> float:
        """Return a threshold in the unit of its tag."""
        try:
            return in_unit(value, unit) / self._scale
        except ValueError as error:
            what, _, mend = str(error).partition("; ")
            self.find(path, what, mend or "give a plain number; the tag has no unit")
            return 0.0

    def find(self, path: Path_, what: str, mend: str) -> None:
        """Note a finding."""
        field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
        self.findings.append(Finding(self._document.mark(path), field.removeprefix("."), what, mend))


def in_unit(value: Threshold, unit: str) -> float:
    """Return a threshold as a number of units.

    Raises
    ------
    ValueError
        It is no quantity of that unit; what is wrong, and the mend.
    """
    if not unit:
        return float(value)
    if unit in _SECONDS:
        return parse_quantity(value, "s") / _SECONDS[unit]
    kilo = unit.startswith("k")
    return parse_quantity(value, unit.removeprefix("k")) / (1e3 if kilo else 1.0)


def in_ns(seconds: float) -> int:
    """Return a time in nanoseconds."""
    return round(seconds * NS_PER_SECOND)
