"""From configurations to meters that are switched on."""

from collections.abc import Sequence

from twin.contracts import TwinError
from twin.meters.kw320.config import MeterConfig, check_config
from twin.meters.kw320.fleet import Fleet


class MeterConfigError(TwinError, ValueError):
    """A meter that cannot be set as it is configured."""


def build_fleet(configs: Sequence[MeterConfig], *, start_ns: int) -> Fleet:
    """Install meters and switch them on.

    Parameters
    ----------
    configs : Sequence of MeterConfig
    start_ns : int
        UTC [ns].

    Returns
    -------
    Fleet

    Raises
    ------
    MeterConfigError
        With all problems of all meters.
    """
    problems = [f"{config.name}: {problem}" for config in configs for problem in check_config(config)]
    names = [config.name for config in configs]
    if len({config.registers.get("rated_frequency", 0) for config in configs}) > 1:
        problems.append("registers.rated_frequency: differs between meters; a site has one frequency")
    problems += [f"{name}: stands twice; give each meter its own name" for name in _repeated(names)]
    if problems:
        raise MeterConfigError("\n".join(problems))
    return Fleet(configs, start_ns=start_ns)


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for place, name in enumerate(names) if name in names[:place]]
