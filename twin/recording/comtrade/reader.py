"""COMTRADE files to values."""

from pathlib import Path

from twin.recording.comtrade.cff import split_combined
from twin.recording.comtrade.cfg_reader import CfgLines, read_configuration
from twin.recording.comtrade.configuration import ComtradeConfiguration, ComtradeRecording, DataFormat
from twin.recording.comtrade.dat_reader import read_table, sample_times, scale_counts
from twin.recording.comtrade.failure import refuse


def read_comtrade(path: str | Path) -> ComtradeRecording:
    """Return a COMTRADE recording of any revision.

    Parameters
    ----------
    path : str or Path
        A ``.cff`` file, or the ``.cfg`` or ``.dat`` file of a pair; extensions in any case.

    Returns
    -------
    ComtradeRecording
        Values as float64 in each channel's own unit and scaling, NaN where the file marks a value as
        missing. Times come from the sampling rates, or from the time stamps where the file states none.

    Raises
    ------
    BadInputError
        When a file is missing, truncated or cannot be understood, naming line or sample.

    References
    ----------
    IEEE C37.111-1991; IEEE C37.111-1999; IEEE C37.111-2013 (IEC 60255-24:2013).
    """
    path = Path(path)
    if path.suffix.lower() == ".cff":
        sections = split_combined(_read_bytes(path), str(path))
        lines = CfgLines(_decode(sections.configuration), str(path), first_line=sections.configuration_line)
        configuration = _with_format(read_configuration(lines), sections.data_format, str(path))
        return _assemble(configuration, sections.data, str(path), str(path), sections.data_line)
    cfg = _sibling(path, ".cfg")
    dat = _sibling(path, ".dat")
    configuration = read_configuration(CfgLines(_decode(_read_bytes(cfg)), str(cfg)))
    return _assemble(configuration, _read_bytes(dat), str(dat), str(cfg), 1)


def _assemble(
    configuration: ComtradeConfiguration, data: bytes, data_file: str, source: str, first_line: int
) -> ComtradeRecording:
    table = read_table(configuration, data, data_file, first_line=first_line)
    times = sample_times(configuration, table, data_file)
    return ComtradeRecording(
        configuration, times, scale_counts(configuration, table.counts), table.digital, source
    )


def _with_format(configuration: ComtradeConfiguration, stated: str, file: str) -> ComtradeConfiguration:
    """Return the configuration with the data format that the separator of a combined file states."""
    if not stated or stated == configuration.data_format:
        return configuration
    if stated == "BINARY" and configuration.data_format is not DataFormat.ASCII:
        return configuration  # some recorders write BINARY for each of the three binary formats
    what = f"the data section is {stated} but the configuration says {configuration.data_format}"
    raise refuse(file, what, "make them agree")


def _sibling(path: Path, extension: str) -> Path:
    """Return the file of a pair with an extension, whatever the case of its letters."""
    if path.suffix.lower() == extension and path.is_file():
        return path
    folder = path.parent
    wanted = (path.stem + extension).lower()
    found = sorted(one for one in folder.glob("*") if one.name.lower() == wanted) if folder.is_dir() else []
    same_stem = [one for one in found if one.stem == path.stem]
    if not found:
        mend = f"put {path.stem}{extension} beside {path.name}"
        raise refuse(str(path), f"there is no {extension} file of this name", mend)
    return (same_stem or found)[0]


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise refuse(str(path), what, "name a file that can be read") from error


def _decode(content: bytes) -> str:
    """Return text that is UTF-8, as revision 2013 wants, or else Latin-1, as older recorders write."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
