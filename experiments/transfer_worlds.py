"""The worlds of the study of transfer: on which contexts, for how long, with which learner."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

import jaxcurriculum.envs as envs
from jaxcurriculum import Environment
from jaxcurriculum.students import PpoConfig

CART_POLE_PPO = PpoConfig(hidden=(32, 32), num_epochs=5, minibatch_size=256)
PENDULUM_PPO = dataclasses.replace(CART_POLE_PPO, num_epochs=10, discount=0.9)


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """The contexts and how policies are trained.

    The policy of all contexts observes the context, where the world can tell it. A policy of one
    context does not: nothing varies there while it learns, and any other context would lie beyond
    the range of its standardised observations.
    """

    make: Callable[[bool], Environment]  # (whether policies observe the context) -> environment
    axis: str  # what the contexts are, for figures
    contexts: np.ndarray  # [num, dims], evenly along the first axis
    returns: tuple[float, float]  # that become 0 and 1
    steps: int  # of the training of one policy
    ppo: PpoConfig
    num_envs: int = 8
    num_steps: int = 128
    num_episodes: int = 10  # that judge a policy on a context

    @property
    def ppo_of_all(self) -> PpoConfig:
        """The learner of eight times as many environments."""
        return dataclasses.replace(self.ppo, minibatch_size=8 * self.ppo.minibatch_size)

    def scaled(self, returns: np.ndarray) -> np.ndarray:
        """`returns` in [0, 1]."""
        low, high = self.returns
        return np.clip((returns - low) / (high - low), 0.0, 1.0)


def _along(low: float, high: float, num: int, *others: float) -> np.ndarray:
    """`num` tasks along the first axis; `others` are the same in all."""
    return np.array([(place, *others) for place in np.linspace(low, high, num)], np.float32)


def _cart_pole(
    axis: str, name: str, low: float, high: float, seen: bool = False, as_published: bool = False
) -> World:
    def make(observe_task: bool) -> Environment:
        return envs.cart_pole({axis: (low, high)}, observe_task or seen, as_published)

    return World(
        make=make,
        axis=name,
        contexts=_along(low, high, 40),
        returns=(0.0, 500.0),
        steps=100_000,
        ppo=CART_POLE_PPO,
    )


def _stumps(_: bool) -> Environment:
    return envs.stump_tracks(
        max_stump_height=1.5, min_obstacle_spacing=4.0, max_obstacle_spacing=4.0
    )


WORLDS = {
    "cart-pole-mass": _cart_pole("mass_cart", "mass of the cart (kg)", 0.25, 10.0),
    "cart-pole-length": _cart_pole("length", "half of the pole's length (m)", 0.125, 5.0),
    "pendulum-length": World(
        make=lambda observe_task: envs.pendulum({"length": (0.5, 2.0)}, observe_task),
        axis="length of the pole (m)",
        contexts=_along(0.5, 2.0, 20),
        returns=(-1600.0, -100.0),
        steps=100_000,
        ppo=PENDULUM_PPO,
    ),
    "cart-pole-mass-seen": _cart_pole(
        "mass_cart", "mass of the cart, seen by all (kg)", 0.25, 10.0, seen=True
    ),
    "cart-pole-mass-as-published": _cart_pole(
        "mass_cart", "mass that all are told (kg)", 0.25, 10.0, seen=True, as_published=True
    ),
    "stump-height": World(
        make=_stumps,
        axis="height of the stumps (14/30 m)",
        contexts=_along(0.0, 1.5, 6, 4.0),
        returns=(-100.0, 300.0),
        steps=1_000_000,
        ppo=PpoConfig(),
        num_envs=64,
    ),
}
