"""Kernels of the demands."""

from numba import njit


@njit(cache=True, nogil=True)
def end_minutes(first, means, minutes, window, every, thermal, lag, shown, history):  # type: ignore[no-untyped-def]
    """Let whole minutes of one mean end, one after the other.

    Parameters
    ----------
    first : int
        Number of the minute, since the epoch, that begins when the first of them ends.
    means : f64[meters, sources]
    minutes : f64[slots, meters, sources]
        Means of the last minutes, each where its number says; changed.
    window, every : i64[meters]
        Minutes that a demand averages, and from one demand to the next.
    thermal : bool[meters]
        Meters that show their lag.
    lag : f64[meters, sources]
    shown : f64[meters, sources]
        Demands now; changed.
    history : f64[minutes, meters, sources]
        Demands after each minute; written.
    """
    slots, meters, _ = minutes.shape
    alike = not thermal.any() and (window == window[0]).all() and (every == every[0]).all()
    for step in range(history.shape[0]):
        minute = first + step
        minutes[minute % slots] = means
        if alike:
            if minute % every[0] == 0:
                _average(minutes, minute, window[0], shown)
        else:
            for meter in range(meters):
                if minute % every[meter] == 0 and thermal[meter]:
                    shown[meter] = lag[meter]
                elif minute % every[meter] == 0:
                    one = slice(meter, meter + 1)
                    _average(minutes[:, one], minute, window[meter], shown[one])
        history[step] = shown


@njit(cache=True, nogil=True)
def _average(minutes, minute, window, shown):  # type: ignore[no-untyped-def]
    """Fill ``shown`` with the means over a window of minutes, the newest added first."""
    slots = minutes.shape[0]
    shown[:] = 0.0
    for ago in range(window):
        shown += minutes[(minute - ago) % slots]
    shown /= window
