"""gymnasium's BipedalWalker on our tracks, with any number of solver iterations: the reference that the engine is held against."""

import jax
import numpy as np
from Box2D import b2World
from Box2D.b2 import edgeShape, fixtureDef, polygonShape
from gymnasium.envs.box2d import bipedal_walker

from jaxcurriculum.envs.walker import terrain
from jaxcurriculum.envs.walker.bodies import get_body
from jaxcurriculum.envs.walker.kinematics import WalkerState, link_angles, outline


class World(b2World):
    """A world whose number of iterations can be changed between steps."""

    iterations = (180, 60)

    def Step(self, time_step, *_):
        super().Step(time_step, *self.iterations)


class Box2DWalker(bipedal_walker.BipedalWalker):
    """BipedalWalker with a body of ours, on one long edge with boxes `stumps` [(left, height)], m, or on gymnasium's own ground.

    Both grounds are flat where the walker starts, but gymnasium's is of many edges, and its first two steps touch several at once.
    """

    def __init__(self, body: str = "default", stumps=(), push: float = 0.0, own_ground: bool = False):
        super().__init__()
        self.world = World()
        self.body, self.stumps, self.push, self.own_ground = get_body(body), stumps, push, own_ground

    def reset(self, **_):
        """Start with this body's sizes, which gymnasium keeps as constants of its module, and with the push given."""
        saved = {name: getattr(bipedal_walker, name) for name in ("LEG_H", "LEG_FD", "LOWER_FD", "INITIAL_RANDOM")}
        shapes = [polygonShape(box=(width / 2, self.body.link_length / 2)) for width in self.body.link_widths]
        upper, lower = (fixtureDef(shape=s, density=1.0, restitution=0.0, categoryBits=0x20, maskBits=1) for s in shapes)
        changes = dict(LEG_H=self.body.link_length, LEG_FD=upper, LOWER_FD=lower, INITIAL_RANDOM=0)
        try:
            for name, value in changes.items():
                setattr(bipedal_walker, name, value)
            self._first = True
            return super().reset(seed=0)
        finally:
            for name, value in saved.items():
                setattr(bipedal_walker, name, value)

    def step(self, action):
        if self._first:
            self._first = False
            self.hull.ApplyForceToCenter((self.push, 0), True)
        return super().step(np.asarray(action, np.float32))

    def _generate_terrain(self, hardcore):
        if self.own_ground:
            return super()._generate_terrain(hardcore)
        edge = fixtureDef(shape=edgeShape(vertices=[(-50, terrain.GROUND), (200, terrain.GROUND)]), friction=2.5, categoryBits=1)
        self.terrain = [self.world.CreateStaticBody(fixtures=edge)]
        for left, height in self.stumps:
            right, top = left + terrain.STEP, terrain.GROUND + height
            corners = [(left, terrain.GROUND), (right, terrain.GROUND), (right, top), (left, top)]
            box = fixtureDef(shape=polygonShape(vertices=corners), friction=2.5)
            self.terrain.append(self.world.CreateStaticBody(fixtures=box))
        self.terrain_poly = []

    def _generate_clouds(self):
        self.cloud_poly = []

    @property
    def bodies(self):
        return [self.hull, *self.legs]

    def read(self) -> WalkerState:
        """The state as the engine keeps it."""
        velocity = np.array([[*b.linearVelocity, b.angularVelocity] for b in self.bodies], np.float32).T  # [3, 5]
        return WalkerState(
            hull_pose=np.array([*self.hull.worldCenter, self.hull.angle], np.float32),
            joints=np.array([j.angle for j in self.joints], np.float32).reshape(2, 2).T,
            hull_velocity=velocity[:, 0],
            link_velocity=velocity[:, 1:].reshape(3, 2, 2).swapaxes(1, 2),
            impulses=np.zeros((10, 2), np.float32),
        )

    def place(self, state: WalkerState, at: int) -> None:
        """Put the walker where number `at` of a batch of states is, and as fast."""
        single = jax.tree.map(lambda x: x[..., at], state)
        velocity = np.concatenate([state.hull_velocity[:, None, at], state.link_velocity[..., at].swapaxes(1, 2).reshape(3, -1)], axis=1)
        legs = link_angles(self.body, single.hull_pose[2:], single.joints[..., None])[..., 0].T
        angles = [single.hull_pose[2], *legs.ravel()]
        centres = [single.hull_pose[:2], *(polygon.mean(0) for polygon in outline(self.body, single)[1:])]
        for body, angle, centre, speed in zip(self.bodies, angles, centres, velocity.T):
            body.angle = float(angle)
            body.position = tuple(float(p + c - w) for p, c, w in zip(body.position, centre, body.worldCenter))
            body.linearVelocity, body.angularVelocity = (float(speed[0]), float(speed[1])), float(speed[2])

    def move(self, x: float, y: float) -> None:
        """Shift the whole walker, at rest, by (x, y) metres."""
        for body in self.bodies:
            body.position = (body.position[0] + x, body.position[1] + y)
            body.linearVelocity, body.angularVelocity = (0, 0), 0.0


def pose_error(a: WalkerState, b: WalkerState) -> float:
    """Largest difference of the hull's pose (m, rad) and the joint angles (rad)."""
    return max(np.abs(np.asarray(a.hull_pose) - b.hull_pose).max(), np.abs(np.asarray(a.joints) - b.joints).max())
