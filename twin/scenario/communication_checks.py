"""Rules for faults of communication, those that befall and those that an endpoint always has."""

from collections.abc import Callable, Iterator

from twin.contracts import Finding
from twin.scenario.communication_schema import CommunicationFault, SerialTransport, TcpTransport, Transport
from twin.scenario.context import Context, Path_
from twin.scenario.endpoint_schema import Endpoint, SerialEndpoint

_COMMON = frozenset(Transport.model_fields)
TCP_FIELDS = frozenset(TcpTransport.model_fields) - _COMMON | {"refuse", "close"}
"""What only a TCP endpoint can have."""
RTU_FIELDS = frozenset(SerialTransport.model_fields) - _COMMON
"""What only a serial one can have."""
LONGEST_LATENCY_S = 600.0
"""No master waits so long [s]."""
_DOOR = ("connections", "when_full", "accept_delay", "gateway")
_BYSTANDERS = {"event", "at", "name", "meters", "over", "clear_after", "distribution", "when_full"}


def what_is_wrong(event: CommunicationFault) -> tuple[str, ...]:
    """Return the names of the fields of an event that make something go wrong, in their order."""
    idle = (None, 0.0, False)
    fields = type(event).model_fields
    return tuple(name for name in fields if name not in _BYSTANDERS and getattr(event, name) not in idle)


def communication_fits(context: Context) -> Iterator[Finding]:
    """Find faults of meters that no master can reach so, and those that are none."""
    known = {meter.name: meter.endpoints for meter in context.scenario.meters}
    for at, event in enumerate(context.scenario.events):
        if not isinstance(event, CommunicationFault):
            continue
        path: Path_ = ("events", at)
        hit = list(known) if event.meters == "all" else event.meters
        for place, name in enumerate(hit):
            if name not in known:
                yield context.unknown((*path, "meters", place), name, list(known), "meter")
        kinds = {
            "tcp" if isinstance(endpoint, Endpoint) else "rtu"
            for name in hit
            for _, endpoint in known.get(name, ())
        }
        if event.over != "any":
            kinds &= {event.over}
        if all(name in known for name in hit):
            yield from _something(context, path, event, kinds)
        yield from _values(context, path, event)
        if event.reboot is not None and event.clear_after is not None:
            what = "a reboot is over when the meters have booted"
            yield context.finding((*path, "clear_after"), what, "leave it out")


def _something(
    context: Context, path: Path_, event: CommunicationFault, kinds: set[str]
) -> Iterator[Finding]:
    wrong = what_is_wrong(event)
    if not wrong:
        yield context.finding(
            path, "nothing goes wrong", "add 'latency', 'lost_answers', 'refuse' or the like"
        )
    elif not kinds:
        kind = {"any": "an endpoint", "tcp": "a TCP endpoint", "rtu": "a serial endpoint"}[event.over]
        what = f"none of the meters has {kind}"
        yield context.finding((*path, "meters"), what, "name meters that have one")
    else:
        for fields, kind, called in ((TCP_FIELDS, "tcp", "TCP"), (RTU_FIELDS, "rtu", "serial")):
            for field in wrong:
                if field in fields and kind not in kinds:
                    what = f"none of the endpoints is a {called} one"
                    yield context.finding((*path, field), what, "leave it out, or name other meters")


def endpoints_fit(context: Context) -> Iterator[Finding]:
    """Find what endpoints always have and cannot: exceptions that meet nothing, two rules for one port."""
    doors: dict[tuple[str | None, int], tuple[str, tuple[object, ...]]] = {}
    for at, meter in enumerate(context.scenario.meters):
        for place, endpoint in meter.endpoints:
            path: Path_ = ("meters", at, *place)
            yield from _values(context, path, endpoint)
            if not isinstance(endpoint, Endpoint):
                continue
            if endpoint.gateway is not None and endpoint.unit_check != "strict":
                what = "a gateway answers for a meter that does not: unit_check has to be strict"
                yield context.finding((*path, "unit_check"), what, "leave it out")
            if endpoint.port == 0:
                continue
            own = tuple(getattr(endpoint, field) for field in _DOOR)
            first, rules = doors.setdefault((endpoint.host, endpoint.port), (meter.name, own))
            for field, mine, its in zip(_DOOR, own, rules, strict=True):
                if mine != its:
                    what = f"{field} differs from that of meter '{first}' on the same port"
                    yield context.finding((*path, field), what, "make both alike or use another port")


def _values(
    context: Context, path: Path_, part: CommunicationFault | Endpoint | SerialEndpoint
) -> Iterator[Finding]:
    if part.latency is not None and part.latency.most_s > LONGEST_LATENCY_S:
        yield context.finding((*path, "latency"), "is more than 10 min", "give less")
    registers = [] if part.exception is None else part.exception.registers
    if registers and (len(registers) != 2 or registers[0] > registers[1]):
        what = "are no range of addresses"
        yield context.finding((*path, "exception", "registers"), what, "give the first and the last one")


COMMUNICATION_RULES: tuple[Callable[[Context], Iterator[Finding]], ...] = (communication_fits, endpoints_fit)
"""All rules about faults of communication."""
