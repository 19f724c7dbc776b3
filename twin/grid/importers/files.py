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


def import_file(path: Path | str, out_dir: Path | str) -> list[str]:
    """Convert another program's file to ``network.yaml`` in a new directory.

    Returns
    -------
    list of str
        What was assumed.

    Raises
    ------
    GridError
        The directory has content, or the file is of no known kind.
    """
    target = Path(out_dir)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise GridError(f"{target} exists and is not empty; give a new directory")
    read = read_foreign(path)
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
        raise GridError(f"{path} is no pandapower network ({error})") from error
    return from_pandapower(net)


_READERS: dict[str, Callable[[Path], Imported]] = {".dss": _opendss, ".json": _pandapower}
