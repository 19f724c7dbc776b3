"""Measured speed and memory, each against a limit or a named peer in the same run: ``make bench``."""

import twin  # noqa: F401 - pins linear algebra to one thread before NumPy loads, as in the product
