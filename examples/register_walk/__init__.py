"""A walk through every register of a served kw320q, with a master of one's own.

``python -m examples.register_walk``
"""

from examples.register_walk.walk import Report, walk

__all__ = ["Report", "walk"]
