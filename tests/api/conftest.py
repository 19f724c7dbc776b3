"""A live site answers within a second once its kernels are compiled; on a fresh machine that comes first."""

import pytest

from twin.simulation.warm_up import warm_up_kernels


@pytest.fixture(scope="package", autouse=True)
def kernels():
    """Compile what a site needs before any client waits for an answer."""
    warm_up_kernels()
