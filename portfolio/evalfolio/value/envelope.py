"""The concave envelope of G, and the minimum sensible effort where it first meets G."""

import numpy as np

from evalbayes.arrays import Array
from evalfolio.value.worth import Worth


def envelope_points(value: Worth, v_max: float, n_points: int = 2000) -> tuple[Array, Array]:
    """Return the corner points (v, G) of the concave hull of G on [0, v_max].

    The points lie on G, spaced geometrically from 0 and evenly above, inflections included; their
    upper hull is the envelope to second order in the spacing.
    """
    inside, half = [v for v in value.inflections if v < v_max], n_points // 2
    spaced = [v_max * np.geomspace(1e-9, 1.0, half), v_max * np.linspace(0.0, 1.0, half)]
    v = np.unique(np.concatenate([[0.0], *spaced, inside]))
    g = value.gain(v)
    hull = upper_hull(v.tolist(), g.tolist())
    return v[hull], g[hull]


def envelope_lines(value: Worth, v_max: float, n_lines: int = 120) -> tuple[Array, Array]:
    """Return lines (slopes, heights) whose least is at or above G's concave envelope everywhere.

    Each is a tangent of the envelope: on its straight stretches the chord, raised to clear G by
    any curvature between the hull's points, elsewhere the tangent of G.

    >>> from evalfolio.value.sample_information import DecisionValue
    >>> g = DecisionValue(-1.0, 1.0, 1.0, 1.0)
    >>> slopes, heights = envelope_lines(g, 0.9)
    >>> v = np.linspace(0, 0.9, 50)
    >>> bool(((slopes[:, None] * v + heights[:, None]).min(axis=0) >= g.gain(v) - 1e-12).all())
    True
    """
    v, g = envelope_points(value, v_max)
    slopes = np.diff(g) / np.diff(v)
    if len(slopes) > n_lines:
        # Evenly spaced in the envelope's own turning, with both ends kept.
        bends = np.abs(np.diff(np.arctan(slopes * v_max / g[-1])))
        turn = np.concatenate([[0.0], np.cumsum(bends)])
        wanted = np.linspace(0.0, turn[-1], n_lines)
        picked = np.unique(np.searchsorted(turn, wanted).clip(0, len(slopes) - 1))
        slopes = slopes[picked]
    grid = np.unique(np.concatenate([v, v_max * np.linspace(0.0, 1.0, 4001)]))
    worth = value.gain(grid)
    slopes = np.maximum(slopes, 0.0)
    # The least height that keeps each line above G: exact tangency, whatever the hull's spacing,
    # looked for again between the neighbours of the point where it is found.
    at = (worth[None, :] - slopes[:, None] * grid[None, :]).argmax(axis=1)
    near = np.linspace(grid[np.maximum(at - 1, 0)], grid[np.minimum(at + 1, len(grid) - 1)], 17)
    heights = (value.gain(near.ravel()).reshape(near.shape) - slopes * near).max(axis=0)
    slack = 1e-7 * float(worth[-1])
    return np.append(slopes, 0.0), np.append(heights + slack, worth[-1])


def upper_hull(v: list[float], h: list[float]) -> list[int]:
    """Return the positions of the corners of the upper hull of points ascending in v."""
    hull: list[int] = []
    for i in range(len(v)):
        while len(hull) > 1:
            a, b = hull[-2], hull[-1]
            if (h[b] - h[a]) * (v[i] - v[a]) > (h[i] - h[a]) * (v[b] - v[a]):
                break
            hull.pop()
        if hull and v[i] == v[hull[-1]]:
            if h[i] > h[hull[-1]]:
                hull[-1] = i
            continue
        hull.append(i)
    return hull
