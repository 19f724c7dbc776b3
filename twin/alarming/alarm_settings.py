"""Alarms with other limits, deadbands and delays than their rules file gives them."""

from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from twin.alarming.rules_schema import Alarm, Rules, When
from twin.alarming.what_if_schema import ALL, Settings
from twin.contracts import Finding
from twin.documents import Document, suggestion

Path_ = tuple[str | int, ...]


def changed_alarms(rules: Rules, settings: Mapping[str, Settings]) -> Iterator[tuple[int, Alarm]]:
    """Yield the alarms that are left, each with its place in the rules file.

    Parameters
    ----------
    rules : Rules
    settings : Mapping of str to Settings
        By alarm, or for all; an alarm's own go before those of all.
    """
    for place, alarm in enumerate(rules.alarms):
        wanted = [settings[name] for name in (ALL, alarm.name) if name in settings]
        if all(each.enabled for each in wanted):
            yield place, reduce(_changed, wanted, alarm)


def unknown_alarms(
    rules: Rules, settings: Mapping[str, Settings], document: Document, path: Path_
) -> list[Finding]:
    """Return a finding for each alarm that settings name and rules lack.

    Parameters
    ----------
    rules : Rules
    settings : Mapping of str to Settings
    document : Document
        That of the settings.
    path : tuple
        Where they stand in it.
    """
    names = {alarm.name for alarm in rules.alarms}
    field = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")
    return [
        Finding(
            document.mark((*path, name)),
            field,
            f"there is no alarm {name!r}",
            suggestion(name, names, "alarms"),
        )
        for name in settings
        if name != ALL and name not in names
    ]


def _changed(alarm: Alarm, settings: Settings) -> Alarm:
    update: dict[str, Any] = {
        name: value
        for name in ("on_delay", "off_delay", "priority")
        if (value := getattr(settings, name)) is not None
    }
    update["when"] = _with_limits(alarm.when, settings)
    if settings.suppressed is False:
        update["suppressed_when"] = None
    return alarm.model_copy(update=update)


def _with_limits(when: When, settings: Settings) -> When:
    update: dict[str, Any] = {}
    for kind, sides in (("limit", ("above", "below")), ("deviation", ("by",)), ("rate", ("rises", "falls"))):
        leaf = getattr(when, kind)
        if leaf is None:
            continue
        change: dict[str, Any] = {} if settings.deadband is None else {"deadband": settings.deadband}
        if settings.limit is not None:
            change |= {side: settings.limit for side in sides if getattr(leaf, side) is not None}
        update[kind] = leaf.model_copy(update=change)
    for name in ("all", "any"):
        if getattr(when, name) is not None:
            update[name] = [_with_limits(part, settings) for part in getattr(when, name)]
    if when.none is not None:
        update["none"] = _with_limits(when.none, settings)
    return when.model_copy(update=update)
