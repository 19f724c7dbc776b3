"""Measured speed and memory, each against a limit or a named peer in the same run: ``make bench``."""
