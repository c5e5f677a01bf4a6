"""When a project is looked at again as a whole, and how much of it at once."""

WHOLE = 4_000  # a project of up to this many items is looked at whole
LOCAL_POINTS = 1_500  # of a larger one, its most touched clusters
PER_CLUSTER = 32  # members that stand for a large cluster
NEIGHBOURHOOD = 900  # members of known clusters beside a batch
GROWN = 3.0
CREPT = 0.25
BURST = 0.05


def due(total: int, since: int, pending: int, burst: int) -> bool:
    """Whether a second look is due.

    ``total``: items there were at the last look; ``since``: clustered after it; ``pending``:
    waiting; ``burst``: clustered since nothing was waiting last. A look may move many items, which
    people notice, so there is one when a burst that is large for the project has been worked off
    (an import, a bad day), and otherwise only when the project has grown by a quarter; while a
    burst lasts, each time that it has made the project four times as large.
    """
    if since == 0:
        return False
    if since >= GROWN * min(total, WHOLE):
        return True
    return pending == 0 and (since >= CREPT * total or burst >= BURST * (total + since))


def spaced(count: int, wanted: int) -> list[int]:
    """``wanted`` places evenly spaced among ``count``, first and last among them."""
    if count <= wanted:
        return list(range(count))
    return [i * (count - 1) // (wanted - 1) for i in range(wanted)]
