"""The virtual test bench: recordings and a three-phase source measured by any meter."""
