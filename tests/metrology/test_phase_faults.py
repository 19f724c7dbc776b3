import numpy as np
import pytest

from twin.metrology.phase_faults import lost_phases, phase_rotation, rotation_error


def phasors(*degrees, size=230.0):
    return size * np.exp(1j * np.radians(degrees))


def test_a_phase_is_lost_while_another_is_there():
    v = np.array([[230.0, 230.0, 50.0], [10.0, 230.0, 50.0], [10.0, 20.0, 0.0], [100.0, 60.0, 120.0]])
    found = lost_phases(v, lost=60.0, present=115.0)
    assert found.tolist() == [[False, False, True], [True, False, True], [False] * 3, [False] * 3]
    with pytest.raises(ValueError, match="swap the levels"):
        lost_phases(v, lost=115.0, present=60.0)


def test_the_order_of_the_phases():
    cases = np.array([phasors(10, -110, 130), phasors(10, 130, -110), phasors(0, 0, 0), phasors(0, -90, 150)])
    assert phase_rotation(cases).tolist() == [1, -1, 0, 1]
    single = np.array([230.0, 0.0, 0.0], complex)
    assert phase_rotation(single) == 0


def test_angles_outside_the_limits_are_an_error():
    """Manual: less than 90 or more than 150 degrees from phase to phase."""
    for degrees, wrong in (
        ((0, -120, 120), False),
        ((0, -91, 120), False),
        ((0, -89, 140), True),
        ((0, 120, -120), True),
        ((0, -151, 100), True),
        ((40, -80, 160), False),
    ):
        assert rotation_error(phasors(*degrees)) == wrong, degrees
    assert not rotation_error(phasors(0, 120, -120) * [1, 0, 1])
