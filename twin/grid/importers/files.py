"""Networks in files of other programs, by the ending of the name."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from twin.grid.errors import GridError, MissingExtraError
from twin.grid.network import Network
from twin.grid.network_writer import write_network

Imported = tuple[Network, list[str]]


def read_foreign(path: Path | str) -> Imported | None:
    """Return a network from another program's file and what was assumed; None for other endings.

    Parameters
    ----------
    path : Path or str
        ``.dss``: OpenDSS script; ``.json``: pandapower network.

    Raises
    ------
    GridError, BadInputError
        What cannot be converted, by name.
    """
    reader = _READERS.get(Path(path).suffix.lower())
    return None if reader is None else reader(Path(path))


def import_file(path: Path | str, out_dir: Path | str, *, program: str | None = None) -> list[str]:
    """Convert another program's file to ``network.yaml`` in a new directory.

    Parameters
    ----------
    path : Path or str
    out_dir : Path or str
    program : str, optional
        ``opendss`` or ``pandapower``; by the ending of the file's name when None.

    Returns
    -------
    list of str
        What was assumed.

    Raises
    ------
    GridError
        The directory has content, the program is unknown, or the file is not of its kind.
    """
    target = Path(out_dir)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise GridError(f"{target} exists and is not empty; give a new directory")
    if program is not None and program not in _PROGRAMS:
        raise GridError(f"program '{program}' is unknown; give {' or '.join(_PROGRAMS)}")
    read = read_foreign(path) if program is None else _PROGRAMS[program](Path(path))
    if read is None:
        raise GridError(f"{path} is no file of a known program; its name must end in .dss or .json")
    network, assumptions = read
    target.mkdir(parents=True, exist_ok=True)
    write_network(network, target / "network.yaml")
    return assumptions


def _opendss(path: Path) -> Imported:
    from twin.grid.importers.opendss_script import read_opendss  # noqa: PLC0415

    return read_opendss(path)


def _pandapower(path: Path) -> Imported:
    from twin.grid.importers.pandapower_net import from_pandapower  # noqa: PLC0415

    try:
        pandapower: Any = import_module("pandapower")
    except ImportError as error:
        what = f"pandapower cannot be imported ({error}); install it: pip install 'site-twin[simbench]'"
        raise MissingExtraError(what) from error
    if not path.is_file():
        raise GridError(f"there is no file {path}")
    try:
        net = pandapower.from_json(str(path))
    except Exception as error:
        raise GridError(f"{path} is no pandapower network ({error}); {_MEND}") from error
    if not isinstance(net, pandapower.pandapowerNet):
        raise GridError(f"{path} is no pandapower network (it holds a {type(net).__name__}); {_MEND}")
    if not len(net.bus):
        raise GridError(f"{path} is a pandapower network without buses; {_MEND}")
    return from_pandapower(net)


_MEND = "give a file that pandapower.to_json has written"

_PROGRAMS: dict[str, Callable[[Path], Imported]] = {"opendss": _opendss, "pandapower": _pandapower}

_READERS = {".dss": _opendss, ".json": _pandapower}
