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
    slots, meters, sources = minutes.shape
    alike = _all_alike(window, every, thermal)
    # One long row instead of many short ones: the inner loops are then vector instructions.
    flat, means_row = minutes.reshape(slots, meters * sources), means.reshape(meters * sources)
    shown_row, history_row = shown.reshape(meters * sources), history.reshape(-1, meters * sources)
    for step in range(history.shape[0]):
        minute = first + step
        for k in range(means_row.size):
            flat[minute % slots, k] = means_row[k]
        if alike:
            if minute % every[0] == 0:
                _average(flat, minute, window[0], shown_row)
        else:
            for meter in range(meters):
                if minute % every[meter] != 0:
                    continue
                one = slice(meter * sources, (meter + 1) * sources)
                if thermal[meter]:
                    for source in range(sources):
                        shown_row[meter * sources + source] = lag[meter, source]
                else:
                    _average(flat[:, one], minute, window[meter], shown_row[one])
        for k in range(shown_row.size):
            history_row[step, k] = shown_row[k]


@njit(cache=True, nogil=True)
def _all_alike(window, every, thermal):  # type: ignore[no-untyped-def]
    """Return whether all meters average over the same minutes, and none shows its lag."""
    for meter in range(window.size):
        if thermal[meter] or window[meter] != window[0] or every[meter] != every[0]:
            return False
    return True


@njit(cache=True, nogil=True)
def _average(minutes, minute, window, shown):  # type: ignore[no-untyped-def]
    """Fill ``shown`` (values,) with the means over a window of minutes (slots, values), the newest first."""
    slots = minutes.shape[0]
    for k in range(shown.size):
        shown[k] = 0.0
    for ago in range(window):
        row = minutes[(minute - ago) % slots]
        for k in range(shown.size):
            shown[k] += row[k]
    for k in range(shown.size):
        shown[k] /= window
