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
    minutes : f64[meters, slots, sources]
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
    meters, slots, sources = minutes.shape
    for step in range(history.shape[0]):
        minute = first + step
        for meter in range(meters):
            for source in range(sources):
                minutes[meter, minute % slots, source] = means[meter, source]
            if minute % every[meter] == 0:
                if thermal[meter]:
                    shown[meter] = lag[meter]
                else:
                    shown[meter] = 0.0
                    for ago in range(window[meter]):
                        slot = (minute - ago) % slots
                        for source in range(sources):
                            shown[meter, source] += minutes[meter, slot, source]
                    for source in range(sources):
                        shown[meter, source] /= window[meter]
            for source in range(sources):
                history[step, meter, source] = shown[meter, source]
