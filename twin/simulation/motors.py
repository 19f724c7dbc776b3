"""Motors as simpy processes: starting, running, slowed by sags, dropped by their contactors, started again.

A motor enters the network as an admittance at a slip (`twin.grid.machines`). While it speeds up, the slip
moves in steps small enough that no current changes by more than a set share; while it runs steadily there is
no event at all. The fundamental alone is modelled: no residual voltage after switching off, no harmonics of
a soft starter's thyristors.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal

import simpy

from twin.contracts import NS_PER_SECOND, TwinError
from twin.grid.machines.drive import Drive
from twin.grid.machines.induction_motor import phase_matrix, sequence_voltages
from twin.simulation.ports import MotorPort

_SHORTEST_NS = 100_000
_LONGEST_S = 0.2
_STEP, _REST, _UNSEEN = 0.5, 0.3, 0.2
"""Shares of the resolution: of a step, of the last one to rest, of what is not shown; together one."""
_DEAD = 1e-6
"""Below this share of rated voltage there is none."""


class MotorSettingsError(TwinError, ValueError):
    """A motor's starter or contactor with settings that none can have."""


@dataclass(frozen=True, slots=True)
class Starter:
    """How a motor is started."""

    kind: Literal["direct", "star_delta", "soft"] = "direct"
    star_time: float = 6.0
    """Star-delta: time in star [s]."""
    pause: float = 0.05
    """Star-delta: time without supply between star and delta [s]."""
    initial_voltage: float = 0.4
    """Soft: share of the voltage at the beginning."""
    ramp: float = 8.0
    """Soft: time until the full voltage [s]."""


@dataclass(frozen=True, slots=True)
class Contactor:
    """An electromagnetic contactor whose coil is fed from the motor's bus.

    IEC 60947-4-1, 8.2.1.2: closes from 85 % of the coil's rated voltage, drops out between 75 % and 20 %. The
    default lies in the middle of it; the delay is an engineering estimate for coils of alternating current.
    """

    drop_out: float = 0.5
    """Voltage below which it opens, of the rated one."""
    drop_out_delay: float = 0.02
    """How long the voltage has to be below [s]."""
    pick_up: float = 0.85
    """Voltage from which it can close again, of the rated one."""
    restart_delay: float | None = None
    """From the return of voltage to the restart [s], a different one for each motor; None: stays off."""
    phase: int = 0
    """The coil lies between this phase and the next one."""


@dataclass(frozen=True, slots=True)
class MotorSettings:
    """One motor of a site."""

    name: str
    drive: Drive
    starter: Starter = Starter()
    contactor: Contactor | None = Contactor()
    """None: latched, it follows any voltage."""
    resolution: float = 0.01
    """Largest change of the current in one step of slip, of the present one."""

    def __post_init__(self) -> None:
        """Refuse settings that contradict themselves."""
        starter, contactor = self.starter, self.contactor
        if not 0.0 < starter.initial_voltage <= 1.0 or min(starter.ramp, starter.star_time) <= 0.0:
            raise MotorSettingsError(f"{self.name}: a starter needs a voltage up to 1 and times above zero")
        if contactor is not None and not 0.0 < contactor.drop_out < contactor.pick_up <= 1.0:
            raise MotorSettingsError(f"{self.name}: drop-out must lie below pick-up, both up to 1")
        if not 1e-4 <= self.resolution <= 0.2:
            raise MotorSettingsError(f"{self.name}: give a resolution between 0.0001 and 0.2")


class Motor:
    """The process of one motor.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    port : MotorPort
        The motor's bus.
    settings : MotorSettings
        The motor, its load, its starter.

    Attributes
    ----------
    slip : float
        At the last event; 1 at standstill.
    wanted : bool
        Whether it has been switched on.
    connected : bool
        Whether its contactor is closed.
    """

    def __init__(self, env: simpy.Environment, port: MotorPort, settings: MotorSettings) -> None:
        self.settings = settings
        self.slip = 1.0
        self.wanted = False
        self.connected = False
        self._env = env
        self._port = port
        self._wake = env.event()
        self._since_ns = int(env.now)
        self._shown = (0j, 0j)
        self._connected_ns = 0
        self._low_ns: int | None = None
        self._healthy_ns: int | None = None
        self._dropped = False
        self._moving = False
        self._rested_ns = -1
        self._held = (0.0, 0.0, settings.drive.circuit.frequency)

    def switch_on(self) -> None:
        """Start the motor at this instant."""
        self.wanted, self._dropped = True, False
        self._ring()

    def switch_off(self) -> None:
        """Stop the motor at this instant; it slows down as its load makes it."""
        self.wanted = False
        self._ring()

    def set_running(self) -> None:
        """Be in service for long already, at the slip that the present voltage gives; before the start."""
        self.wanted = True
        self._connected_ns = int(self._env.now) - 3600 * NS_PER_SECOND
        self.slip = 0.0
        for _ in range(30):  # the voltage depends on the slip, and the slip on the voltage
            self._show(self._factors(int(self._env.now)), cause="in service")
            if not self.connected:
                self._close(cause="in service")
            one, two, hertz = self._felt(int(self._env.now))
            before = self.slip
            self.slip = self.settings.drive.settling_slip(before, one, two, frequency=hertz)
            if abs(self.slip - before) <= 1e-9:
                break
        self._since_ns = int(self._env.now)

    def run(self) -> Generator[simpy.Event, Any, None]:
        """Be the simpy process."""
        self._port.watch(self._ring)
        while True:
            self._wake = self._env.event()
            wait_ns = self._step(int(self._env.now))
            if self._wake.triggered:  # what was just shown has changed the voltages
                continue
            events = [self._wake]
            if wait_ns is not None:
                events.append(self._env.timeout(wait_ns))
            yield self._env.any_of(events)

    def _ring(self) -> None:
        if not self._wake.triggered:
            self._wake.succeed()

    def _step(self, now_ns: int) -> int | None:
        """Bring the motor to now, decide what follows, and return when to look again [ns]; None: never."""
        self._catch_up(now_ns)
        wait_contactor = self._tend_contactor(now_ns)
        if not self.connected:
            # Slowing down needs no events: nobody sees it before the motor is connected again.
            return wait_contactor
        wait_starter = self._tend_starter(now_ns)
        wait_slip = self._tend_slip(now_ns)
        waits = [wait for wait in (wait_contactor, wait_starter, wait_slip) if wait is not None]
        return min(waits) if waits else None

    def _catch_up(self, now_ns: int) -> None:
        """Let the slip follow what the motor felt since the last event."""
        seconds, self._since_ns = (now_ns - self._since_ns) / NS_PER_SECOND, now_ns
        if seconds > 0.0 and (self._moving or not self.connected):
            one, two, hertz = self._held if self.connected else (0.0, 0.0, self._held[2])
            steps = 4 if self.connected else max(4, min(2000, math.ceil(seconds / 0.02)))
            drive = self.settings.drive
            self.slip = drive.advance(self.slip, seconds, one, two, frequency=hertz, steps=steps)

    # -- contactor ---------------------------------------------------------------------------------------

    def _tend_contactor(self, now_ns: int) -> int | None:
        """Open or close the contactor; return when its timers run out [ns]."""
        if not self.wanted:
            self._low_ns = self._healthy_ns = None
            if self.connected:
                self._open(cause="switched off")
            return None
        contactor = self.settings.contactor
        coil = self._coil_voltage(contactor)
        if self.connected:
            return self._wait_for_drop_out(now_ns, coil, contactor)
        return self._wait_for_pick_up(now_ns, coil, contactor)

    def _wait_for_drop_out(self, now_ns: int, coil: float, contactor: Contactor | None) -> int | None:
        if contactor is None or coil >= contactor.drop_out:
            self._low_ns = None
            return None
        if self._low_ns is None:
            self._low_ns = now_ns
        left = self._low_ns + round(contactor.drop_out_delay * NS_PER_SECOND) - now_ns
        if left > 0:
            return left
        self._low_ns, self._dropped = None, True
        self._open(cause="contactor dropped out")
        return None

    def _wait_for_pick_up(self, now_ns: int, coil: float, contactor: Contactor | None) -> int | None:
        if contactor is not None and coil < contactor.pick_up:
            self._healthy_ns = None
            return None
        if self._dropped and contactor is not None:
            if contactor.restart_delay is None:
                return None
            if self._healthy_ns is None:
                self._healthy_ns = now_ns
            left = self._healthy_ns + round(contactor.restart_delay * NS_PER_SECOND) - now_ns
            if left > 0:
                return left
        cause = "restarted" if self._dropped else "switched on"
        self._dropped, self._healthy_ns = False, None
        self._connected_ns = now_ns
        self._show(self._factors(now_ns), cause=cause)
        self._close(cause=cause)
        return None

    def _coil_voltage(self, contactor: Contactor | None) -> float:
        if contactor is None:
            return 1.0
        voltages = self._port.voltages()
        line = voltages[contactor.phase] - voltages[(contactor.phase + 1) % 3]
        return float(abs(line)) / self.settings.drive.circuit.u_rated

    def _open(self, *, cause: str) -> None:
        self.connected, self._moving = False, False
        self._port.disconnect(self.settings.name, cause=f"{self.settings.name}: {cause}")

    def _close(self, *, cause: str) -> None:
        self.connected = True
        self._port.connect(self.settings.name, cause=f"{self.settings.name}: {cause}")

    # -- starter -----------------------------------------------------------------------------------------

    def _factors(self, now_ns: int) -> float:
        """Return the share of its rated voltage that a winding gets at the bus's rated voltage."""
        starter, since = self.settings.starter, (now_ns - self._connected_ns) / NS_PER_SECOND
        if starter.kind == "star_delta":
            if since < starter.star_time:
                return 1.0 / math.sqrt(3.0)
            return 0.0 if since < starter.star_time + starter.pause else 1.0
        if starter.kind == "soft":
            ramp = starter.initial_voltage + (1.0 - starter.initial_voltage) * since / starter.ramp
            return min(ramp, 1.0)
        return 1.0

    def _tend_starter(self, now_ns: int) -> int | None:
        """Return when the starter does the next thing [ns]."""
        starter, since_ns = self.settings.starter, now_ns - self._connected_ns
        if starter.kind == "star_delta":
            changes = (starter.star_time, starter.star_time + starter.pause)
            ends = [round(at * NS_PER_SECOND) - since_ns for at in changes]
            return next((left for left in ends if left > 0), None)
        if starter.kind == "soft" and self._factors(now_ns) < 1.0:
            rise = self.settings.resolution * self._factors(now_ns) / (1.0 - starter.initial_voltage)
            left_ns = round(starter.ramp * NS_PER_SECOND) - since_ns
            return max(min(round(rise * starter.ramp * NS_PER_SECOND), left_ns), _SHORTEST_NS)
        return None

    def _show(self, share: float, *, cause: str) -> None:
        """Tell the network what the motor behind its starter is now, if that has moved noticeably."""
        one, two = self.settings.drive.circuit.sequence_admittances(self.slip, self._port.frequency())
        if self.settings.starter.kind == "soft" and share < 1.0:
            one, two = behind_soft_starter(one, share), behind_soft_starter(two, share)
        else:
            one, two = one * share * share, two * share * share
        least = _UNSEEN * self.settings.resolution
        shown_one, shown_two = self._shown
        if abs(one - shown_one) > least * abs(shown_one) or abs(two - shown_two) > least * abs(shown_two):
            self._shown = one, two
            matrix = phase_matrix(one, two)
            self._port.set_admittance(self.settings.name, matrix, cause=f"{self.settings.name}: {cause}")

    # -- slip --------------------------------------------------------------------------------------------

    def _felt(self, now_ns: int) -> tuple[float, float, float]:
        """Return the sizes of the sequence voltages at the windings [V] and the frequency [Hz]."""
        share = self._factors(now_ns)
        one, two = sequence_voltages(self._port.voltages())
        rated = self.settings.drive.circuit.u_rated / math.sqrt(3.0)
        one_size, two_size = share * abs(one), share * abs(two)
        if one_size < _DEAD * rated:
            one_size = 0.0
        return one_size, two_size, self._port.frequency()

    def _tend_slip(self, now_ns: int) -> int | None:
        """Show the present slip; return when it will have moved by a step [ns], None when it rests."""
        drive = self.settings.drive
        self._show(self._factors(now_ns), cause=self._phase_of_life())
        self._held = one, two, hertz = self._felt(now_ns)
        if self._may_rest():
            goal = drive.settling_slip(self.slip, one, two, frequency=hertz)
            # Only once in an instant: on a bus too weak for a rest, resting again and again would be a
            # way to run away in no time.
            near = _UNSEEN if self._rested_ns == now_ns else _REST
            if self._near(self.slip, goal, hertz, times=near):
                self.slip, self._moving, self._rested_ns = goal, False, now_ns
                self._show(self._factors(now_ns), cause=self._phase_of_life())
                return None
        self._moving = True
        return max(round(self._seconds_of_a_step() * NS_PER_SECOND), _SHORTEST_NS)

    def _may_rest(self) -> bool:
        """Return whether the slip is about to rest, by the slope of the acceleration: worth a search."""
        one, two, hertz = self._held
        drive, step = self.settings.drive, 1e-4 * max(abs(self.slip), 1e-3)
        here = drive.acceleration(self.slip, one, two, frequency=hertz)
        if here == 0.0:
            return True
        slope = (drive.acceleration(self.slip - step, one, two, frequency=hertz) - here) / -step
        return slope > 0.0 and self._near(self.slip, self.slip - here / slope, hertz, times=2.0)

    def _phase_of_life(self) -> str:
        return "turns slowly" if self.slip > 0.2 else "runs"

    def _near(self, slip: float, goal: float, hertz: float, *, times: float) -> bool:
        """Return whether the current at two slips differs by less than times the resolution."""
        circuit = self.settings.drive.circuit
        here, there = (circuit.sequence_admittances(at, hertz)[0] for at in (slip, goal))
        return abs(there - here) <= times * self.settings.resolution * abs(here)

    def _seconds_of_a_step(self) -> float:
        """Return after which time the current will have changed by the resolution, or less."""
        one, two, hertz = self._held
        drive, seconds = self.settings.drive, _LONGEST_S
        rate = drive.acceleration(self.slip, one, two, frequency=hertz)
        rate /= drive.circuit.synchronous_speed(hertz)
        small = 1e-4 * max(abs(self.slip), 1e-3)
        here, there = (drive.circuit.sequence_admittances(self.slip + at, hertz)[0] for at in (0.0, small))
        slope = abs(there - here) / small
        if rate and slope:
            seconds = min(seconds, _STEP * 1.4 * self.settings.resolution * abs(here) / (slope * abs(rate)))
        while seconds > 2.0 * _SHORTEST_NS / NS_PER_SECOND:
            reached = drive.advance(self.slip, seconds, one, two, frequency=hertz)
            if self._near(self.slip, reached, hertz, times=_STEP):
                break
            seconds *= 0.7
        return seconds


def behind_soft_starter(admittance: complex, share: float) -> complex:
    """Return the fundamental admittance of a motor behind thyristors that leave it a share of the voltage.

    The line carries the motor's current, ``|Y| share |V|``, and since thyristors neither store nor lose
    energy the line's active power is the motor's, ``share^2 Re(Y) |V|^2``; so the current lags the more.
    """
    size = share * abs(admittance)
    real = share * share * admittance.real
    return complex(real, math.copysign(math.sqrt(max(size * size - real * real, 0.0)), admittance.imag))


def start_motor(
    env: simpy.Environment, port: MotorPort, *, settings: MotorSettings, running: bool = False
) -> Motor:
    """Start the process of a motor.

    Parameters
    ----------
    env : simpy.Environment
        Its time is UTC in whole nanoseconds.
    port : MotorPort
        The motor's bus.
    settings : MotorSettings
        The motor.
    running : bool
        In service from the beginning, at the slip of the present voltage; otherwise at rest until
        `Motor.switch_on`.
    """
    motor = Motor(env, port, settings)
    if running:
        motor.set_running()
    env.process(motor.run())
    return motor
