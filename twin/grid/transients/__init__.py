"""What happens when a network changes at an instant: forced response plus natural modes.

Inductive currents and capacitor voltages are continuous; everything between two events is a finite sum of
damped exponentials.
"""

from twin.grid.transients.assembly import Assembly, assemble
from twin.grid.transients.circuit import Capacitors, Circuit, Conductances, CoupledRL, Switches, between
from twin.grid.transients.clearing import PoleOpening, clear_pole_by_pole
from twin.grid.transients.errors import CircuitError, FloatingError, ImpulseError
from twin.grid.transients.large import LargeCircuit
from twin.grid.transients.modes import Modes, StateSpace, modes, state_space
from twin.grid.transients.steady import Sources, silent_sources, steady_state
from twin.grid.transients.terms import Terms, joined
from twin.grid.transients.transient import State, Transient, state_at, stationary, transient
from twin.grid.transients.zeros import next_zero

__all__ = [
    "Assembly",
    "Capacitors",
    "Circuit",
    "CircuitError",
    "Conductances",
    "CoupledRL",
    "FloatingError",
    "ImpulseError",
    "LargeCircuit",
    "Modes",
    "PoleOpening",
    "Sources",
    "State",
    "StateSpace",
    "Switches",
    "Terms",
    "Transient",
    "assemble",
    "between",
    "clear_pole_by_pole",
    "joined",
    "modes",
    "next_zero",
    "silent_sources",
    "state_at",
    "state_space",
    "stationary",
    "steady_state",
    "transient",
]
