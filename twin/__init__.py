"""The open digital twin of a metered distribution site.

Importing the package pins what must be pinned before NumPy and numba load: linear algebra runs on
one thread (a small complex product is hundreds of times slower on several), and compiled kernels are
cached in a folder named after the content of all kernel sources, since numba itself does not notice
when a function that a kernel calls has changed.
"""

import hashlib
import os
from pathlib import Path

__version__ = "0.1.0"


def _pin_environment() -> None:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*kernels.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "site-twin"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache / digest.hexdigest()[:16]))


_pin_environment()
