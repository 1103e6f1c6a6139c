"""The world around a walker in Box2D: its ground, what its contacts and rays report, and
gymnasium's own terrain.
"""

import math

import gymnasium
from Box2D import b2World
from Box2D.b2 import contactListener, edgeShape, fixtureDef, polygonShape, rayCastCallback
from gymnasium.envs.box2d import bipedal_walker as published

GROUND = published.TERRAIN_HEIGHT
START = published.TERRAIN_STEP * published.TERRAIN_STARTPAD / 2  # m: where the hull's origin begins
FINISH = (published.TERRAIN_LENGTH - published.TERRAIN_GRASS) * published.TERRAIN_STEP
_ANGLES = [1.5 * i / 10 for i in range(10)]
RAYS = [
    (math.sin(angle) * published.LIDAR_RANGE, -math.cos(angle) * published.LIDAR_RANGE)
    for angle in _ANGLES
]
HULL = -1  # what the hull is called in contacts, where lower links go by the number of their leg


class World(b2World):
    """Static edges (two corners) and convex polygons, and numbers of velocity and position
    iterations that can be changed between steps.
    """

    def __init__(self, terrain=(), iterations: tuple[int, int] = (180, 60)):
        super().__init__()
        self.iterations = iterations
        for corners in terrain:
            kind = edgeShape if len(corners) == 2 else polygonShape
            shape = kind(vertices=corners)
            self.CreateStaticBody(
                fixtures=fixtureDef(shape=shape, friction=published.FRICTION, categoryBits=1)
            )


class Contacts(contactListener):
    """Whether the hull ever touched the ground, how much of it each lower link touches, and
    what gymnasium makes of that.
    """

    def __init__(self, num_legs: int):
        super().__init__()
        self.fell, self.touched, self.flags = False, [0] * num_legs, [False] * num_legs

    def BeginContact(self, contact):
        self._count(contact, 1)

    def EndContact(self, contact):
        self._count(contact, -1)

    def _count(self, contact, change):
        a, b = contact.fixtureA.body.userData, contact.fixtureB.body.userData
        part = b if a is None else a
        if part == HULL:
            self.fell = True
        elif part is not None:
            self.touched[part] += change
            # the quirk: leaving one edge clears it, whatever else is touched
            self.flags[part] = change > 0


class Nearest(rayCastCallback):
    """How far a ray goes, as a fraction of its length, before it meets the ground."""

    def ReportFixture(self, fixture, point, normal, fraction):
        if not fixture.filterData.categoryBits & 1:
            return -1
        self.fraction = fraction
        return fraction


def box(
    left: float, width: float, height: float, base: float = GROUND
) -> list[tuple[float, float]]:
    """Corners of an upright box that stands on `base`, m."""
    return [
        (left, base),
        (left + width, base),
        (left + width, base + height),
        (left, base + height),
    ]


def published_ground(seed: int, hardcore: bool) -> tuple[list, float]:
    """The edges and polygons that gymnasium draws for this seed, in the order in which it
    creates them, and its push on the hull, N.
    """
    env = published.BipedalWalker(hardcore=hardcore)
    gymnasium.Env.reset(env, seed=seed)
    env._generate_terrain(hardcore)
    env._generate_clouds()  # draws from the same generator before the push does
    shapes = [
        [tuple(corner) for corner in part.fixtures[0].shape.vertices]
        for part in reversed(env.terrain)
    ]
    return shapes, env.np_random.uniform(-published.INITIAL_RANDOM, published.INITIAL_RANDOM)
