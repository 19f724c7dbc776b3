"""What an operator asks for: the commands that pages submit, and the answer in words."""

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as AnswerLate

from twin.contracts import Answer, Command

Submit = Callable[[Command], "Future[Answer]"]

PATIENCE_S = 2.0
"""So long a page waits for an answer [s]."""
_DONE = {
    "open": "{target} is open",
    "close": "{target} is closed",
    "pause": "the simulation is paused",
    "resume": "the simulation runs",
    "set_speed": "speed set to {speed}",
}


def order(
    submit: Submit,
    target: str,
    verb: str,
    arguments: Mapping[str, object] | None = None,
    *,
    patience_s: float = PATIENCE_S,
) -> tuple[bool, str]:
    """Submit a command and wait for its answer.

    Returns
    -------
    done : bool
        The command was carried out.
    text : str
        What became of it, for the operator.
    """
    given = dict(arguments or {})
    command = Command(source="dashboard", target=target, verb=verb, arguments=given)
    try:
        answer = submit(command).result(timeout=patience_s)
    except AnswerLate:
        return False, f"No answer to '{verb} {target}' yet; it is still in the queue."
    except CancelledError:
        return False, f"Not done: the simulation ended before '{verb} {target}' was its turn."
    except Exception as error:
        return False, f"Not done: {error}."
    if answer.refusal is not None:
        reason = answer.detail or answer.refusal.value.replace("_", " ")
        return False, f"Refused: {verb} {target} ({reason})."
    speed = given.get("speed")
    shown = given | {"speed": f"{speed:g}×"} if isinstance(speed, float) else given
    text = _DONE.get(verb, "{verb} {target} done").format(target=target, verb=verb, **shown)
    return True, f"Done: {text}."
