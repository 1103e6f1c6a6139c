"""Box2D holding any walker of ours on any ground, step for step what gymnasium's BipedalWalker
does: what the engine is held against.
"""

import jax
import numpy as np
from Box2D.b2 import fixtureDef, polygonShape, revoluteJointDef
from gymnasium.envs.box2d import bipedal_walker as published

from jaxcurriculum.envs.walker.bodies import Body, Start, get_body
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState
from references.box2d_poses import created, joined, origin_of, tilts
from references.box2d_world import (
    FINISH,
    GROUND,
    HULL,
    RAYS,
    Contacts,
    Nearest,
    World,
    published_ground,
)

HULL_FRICTION = 0.1


class Box2DWalker:
    """A walker in Box2D with gymnasium's interface, observations [4 + 5 legs + 10] and rewards.

    Args:
      ground: line (x, y), m, made of edges of two vertices; by default one long edge as high as
          gymnasium's.
      obstacles: convex polygons of at most eight corners (x, y), m.
      push: force on the hull in the first step, N; None draws gymnasium's, on its own ground.
      own_ground: gymnasium's ground of BipedalWalker-v3, or with `hardcore` of its harder variant,
          drawn from the seed of `reset`.
      contact_flag: "box2d" for gymnasium's, which is cleared when a foot leaves one edge and stands
          on another, or "exact".
      iterations: of the solver, for velocities and positions; `world.iterations` can be set between
          steps.
    """

    def __init__(
        self,
        body: str | Body = "default",
        ground=None,
        obstacles=(),
        push: float | None = 0.0,
        own_ground: bool = False,
        hardcore: bool = False,
        contact_flag: str = "box2d",
        iterations: tuple[int, int] = (180, 60),
    ):
        if contact_flag not in ("box2d", "exact"):
            raise ValueError(f"contact_flag must be box2d or exact, got {contact_flag!r}.")
        self.own_ground = own_ground or hardcore
        if self.own_ground and (ground is not None or obstacles):
            raise ValueError("ground and obstacles must be left out where gymnasium draws them.")
        if push is None and not self.own_ground:
            raise ValueError("push must be a number where gymnasium draws no ground.")
        self.body, self.push = get_body(body), push
        self.hardcore, self.contact_flag = hardcore, contact_flag
        line = ground if ground is not None else [(-50, GROUND), (200, GROUND)]
        self.terrain = [*obstacles, *zip(line[:-1], line[1:])]
        self.world, self.ray = World((), iterations), Nearest()

    def reset(self, seed: int = 0):
        """Create the walker and do gymnasium's one step without action; returns the observation
        and no information.
        """
        push = self.push
        if self.own_ground:
            self.terrain, drawn = published_ground(seed, self.hardcore)
            push = drawn if push is None else push
        self._build(created(self.body))
        self.hull.ApplyForceToCenter((push, 0), True)
        return self.step(np.zeros(self.body.num_joints))[0], {}

    def step(self, action):
        """Observation, reward, whether the episode ended, False and no information, as
        gymnasium returns them.
        """
        signs, strengths = np.sign(action), np.clip(np.abs(action), 0, 1)
        for i, joint in enumerate(self.joints):
            joint.motorSpeed = float(self.body.motor_speeds[i % 2] * signs[i])
            joint.maxMotorTorque = float(self.body.motor_torques[i % 2] * strengths[i])
        self.world.Step(1 / published.FPS, *self.world.iterations)
        before, self.potential = self.potential, self._potential()
        reward = 0 if before is None else self.potential - before
        for strength in strengths:
            reward -= self.body.torque_cost * strength
        has_fallen = self.game_over or self.hull.position[0] < 0
        terminated = has_fallen or self.hull.position[0] > FINISH
        return self.observe(), -100 if has_fallen else reward, terminated, False, {}

    def observe(self) -> np.ndarray:
        """The observation [4 + 5 legs + 10] of the present state."""
        velocity = self.hull.linearVelocity
        is_box2d = self.contact_flag == "box2d"
        contacts = self.contacts.flags if is_box2d else self.contacts.touched
        width = 0.3 * published.VIEWPORT_W / published.SCALE / published.FPS
        height = 0.3 * published.VIEWPORT_H / published.SCALE / published.FPS
        obs = [
            self.hull.angle,
            2 * self.hull.angularVelocity / published.FPS,
            width * velocity[0],
            height * velocity[1],
        ]
        for hip, knee, touched in zip(self.joints[::2], self.joints[1::2], contacts):
            hip_speed = hip.speed / self.body.motor_speeds[0]
            knee_speed = knee.speed / self.body.motor_speeds[1]
            obs += [hip.angle, hip_speed, knee.angle + 1.0, knee_speed, 1.0 if touched else 0.0]
        x, y = self.hull.position
        for right, up in RAYS:
            self.ray.fraction = 1.0
            self.world.RayCast(self.ray, (x, y), (x + right, y + up))
            obs.append(self.ray.fraction)
        return np.array(obs, np.float32)

    def read(self) -> WalkerState:
        """The state as the engine keeps it."""
        velocity = np.array(
            [[*part.linearVelocity, part.angularVelocity] for part in self.bodies], np.float32
        ).T  # [3, 1 + 2 legs]
        joints = np.array([joint.angle for joint in self.joints], np.float32).reshape(-1, 2).T
        frames = joined(self.body, (*self.hull.position, self.hull.angle), joints)
        off = np.array([part.worldCenter for part in self.links]) - frames[1:, :2]
        return WalkerState(
            hull_pose=np.array([*self.hull.worldCenter, self.hull.angle], np.float32),
            joints=joints,
            hull_velocity=velocity[:, 0],
            link_velocity=velocity[:, 1:].reshape(3, -1, 2).swapaxes(1, 2),
            offset=off.T.reshape(2, -1, 2).swapaxes(1, 2).astype(np.float32),
            impulses=self._impulses(),
        )

    def _impulses(self) -> np.ndarray:
        """What Box2D begins its next step with, in the engine's rows [10, legs], N m s and N s;
        points that rotate a link alike as one.
        """
        torques = [
            joint.GetMotorTorque(published.FPS) + joint.GetReactionTorque(published.FPS)
            for joint in self.joints
        ]
        joints = np.array(torques).reshape(-1, 2).T / published.FPS
        normals, tangents = np.zeros((2, 2, 2, self.body.num_legs))  # [points, links, legs]
        for contact in self.world.contacts:
            first = contact.fixtureA.body in self.links
            part = (contact.fixtureA if first else contact.fixtureB).body
            if not contact.touching or part not in self.links:
                continue
            leg, link = divmod(self.links.index(part), 2)
            manifold = contact.worldManifold
            normal = np.array(manifold.normal) * (-1 if first else 1)
            points = contact.manifold.points[: contact.manifold.pointCount]
            for place, point in zip(manifold.points, points):
                arm = np.array(place) - part.worldCenter
                slot = 0 if normal[1] * arm[0] > normal[0] * arm[1] else 1
                normals[slot, link, leg] += point.normalImpulse
                tangents[slot, link, leg] += point.tangentImpulse
        rows = [joints, normals.reshape(4, -1), tangents.reshape(4, -1)]
        return np.concatenate(rows).astype(np.float32)

    def place(self, state: WalkerState, at: int | None = None) -> None:
        """Put the walker in this state, or in number `at` of a batch of them. What happened
        before has no influence any more.
        """
        state = jax.tree.map(lambda x: np.asarray(x, float), state)
        if at is not None:
            state = jax.tree.map(lambda x: x[..., at], state)
        # `mass` has a name, as its centre lives no longer than itself.
        mass = polygonShape(vertices=self.body.hull).getMass(self.body.hull_density)
        frames = joined(self.body, origin_of(state.hull_pose, mass.center), state.joints)
        frames[1:, :2] += state.offset.swapaxes(1, 2).reshape(2, -1).T
        self._build(frames)
        links = state.link_velocity.swapaxes(1, 2).reshape(3, -1).T
        velocities = [state.hull_velocity.tolist(), *links.tolist()]
        for part, (vx, vy, rate) in zip(self.bodies, velocities):
            part.linearVelocity, part.angularVelocity = (vx, vy), rate
        self.potential = self._potential()

    def move(self, x: float, y: float) -> None:
        """Shift the whole walker, at rest, by (x, y) metres."""
        state = self.read()
        rest = jax.tree.map(np.zeros_like, state)
        pose = state.hull_pose + np.array([x, y, 0])
        self.place(rest.replace(hull_pose=pose, joints=state.joints))

    @property
    def bodies(self):
        return [self.hull, *self.links]

    @property
    def game_over(self) -> bool:
        return self.contacts.fell

    def _potential(self):
        return 130 * self.hull.position[0] / published.SCALE - 5.0 * abs(self.hull.angle)

    def _build(self, frames):
        """A new world each time: in a used one the order of contacts, and so the last digits,
        depend on what was there before.
        """
        body = self.body
        self.world = World(self.terrain, self.world.iterations)
        self.contacts = Contacts(body.num_legs)
        self.world.contactListener, self.potential = self.contacts, None
        self.hull = self._part(
            frames[0], polygonShape(vertices=body.hull), body.hull_density, HULL_FRICTION, HULL
        )
        self.links, self.joints = [], []
        for leg, (hip, tilt) in enumerate(zip(body.hips, tilts(body))):
            parent, anchor, reference = self.hull, hip, tilt
            for k, (width, length) in enumerate(zip(body.link_widths, body.link_lengths)):
                shape = polygonShape(box=(width / 2, length / 2))
                frame, name = frames[1 + 2 * leg + k], leg if k == 1 else None
                link = self._part(frame, shape, body.link_density, body.link_friction, name)
                limits = body.joint_lower[k], body.joint_upper[k]
                self._join(parent, anchor, link, (0, length / 2), reference, limits)
                self.links.append(link)
                parent, anchor, reference = link, (0, -length / 2), 0.0

    def _part(self, frame, shape, density, friction, name):
        x, y, angle = frame.tolist()
        # With these bits it meets only the ground.
        fixture = fixtureDef(
            shape=shape, density=density, friction=friction, categoryBits=0x20, maskBits=1
        )
        return self.world.CreateDynamicBody(
            position=(x, y), angle=angle, fixtures=fixture, userData=name
        )

    def _join(self, parent, anchor, link, top, reference, limits):
        ends = dict(
            bodyA=parent,
            bodyB=link,
            localAnchorA=anchor,
            localAnchorB=top,
            referenceAngle=reference,
        )
        joint = revoluteJointDef(
            **ends, enableMotor=True, enableLimit=True, lowerAngle=limits[0], upperAngle=limits[1]
        )
        self.joints.append(self.world.CreateJoint(joint))


def measure_start(walker: Box2DWalker) -> Start:
    """Where Box2D holds a walker after `reset` and one more step without action, to a millionth.

    The numbers of `bodies.py` are those on gymnasium's own ground: feet touch several edges there
    at once, and one long edge gives others.
    """
    walker.reset()
    seen = walker.step(np.zeros(walker.body.num_joints))[0]
    state = walker.read()
    links = state.link_velocity.swapaxes(1, 2).reshape(3, -1)
    velocity = np.concatenate([state.hull_velocity[:, None], links], axis=1)
    (pose,) = _rounded(state.hull_pose[None] - [0, GROUND, 0])
    return Start(
        pose=pose,
        joints=_rounded(state.joints),
        velocity=_rounded(velocity),
        touched=tuple(flag > 0 for flag in seen[8:-10:5]),
    )


def _rounded(rows) -> tuple:
    return tuple(tuple(round(float(x), 6) for x in row) for row in rows)


def episode(
    walker: Box2DWalker, policy, max_steps: int, seed: int = 0, idle: int = 1
) -> tuple[int, float, float]:
    """Length, final x (m) and return under `policy`, a function of the observation, after `idle`
    uncounted steps without action.

    After one of them the engine's episodes begin; with none, gymnasium's do.
    """
    obs, _ = walker.reset(seed)
    for _ in range(idle):
        obs, *_ = walker.step(np.zeros(walker.body.num_joints))
    rewards, terminated = [], False
    while len(rewards) < max_steps and not terminated:
        obs, reward, terminated, *_ = walker.step(policy(obs))
        rewards.append(float(reward))
    return len(rewards), float(walker.hull.position[0]), sum(rewards)
