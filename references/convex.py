"""How far two convex polygons are apart."""

import numpy as np


def separation(polygon, box) -> float:
    """Largest separation over all side normals of two convex polygons, counter-clockwise: the
    separating-axis theorem.
    """
    best = -np.inf
    for a, b in ((polygon, box), (box, polygon)):
        for i in range(len(a)):
            edge = a[(i + 1) % len(a)] - a[i]
            normal = np.array([edge[1], -edge[0]]) / np.linalg.norm(edge)
            best = max(best, ((b - a[i]) @ normal).min())
    return best
