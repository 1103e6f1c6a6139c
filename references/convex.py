"""The separation of two convex polygons."""

import numpy as np


def separation(polygon, box) -> float:
    """Largest separation of two convex polygons (counter-clockwise) over all side normals."""
    best = -np.inf
    for a, b in ((polygon, box), (box, polygon)):
        for i in range(len(a)):
            edge = a[(i + 1) % len(a)] - a[i]
            normal = np.array([edge[1], -edge[0]]) / np.linalg.norm(edge)
            best = max(best, ((b - a[i]) @ normal).min())
    return best
