"""The worlds of the study of transfer: on which contexts, for how long, with which learner."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from jaxcurriculum import Environment, envs
from jaxcurriculum.students import PpoConfig

CART_POLE_PPO = PpoConfig(hidden=(32, 32), num_epochs=5, minibatch_size=256)


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """Contexts evenly along one axis, which the policy sees, and how policies are trained."""

    make: Callable[[], Environment]
    axis: str  # what the contexts are, for figures
    contexts: np.ndarray  # [num, 1]
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


def _along(low: float, high: float, num: int) -> np.ndarray:
    return np.linspace(low, high, num, dtype=np.float32)[:, None]


WORLDS = {
    "cart-pole-mass": World(
        make=lambda: envs.cart_pole({"mass_cart": (0.1, 10.0)}),
        axis="mass of the cart (kg)",
        contexts=_along(0.2, 10.0, 50),
        returns=(0.0, 500.0),
        steps=100_000,
        ppo=CART_POLE_PPO,
    ),
    "cart-pole-length": World(
        make=lambda: envs.cart_pole({"length": (0.05, 5.0)}),
        axis="half of the pole's length (m)",
        contexts=_along(0.1, 5.0, 50),
        returns=(0.0, 500.0),
        steps=100_000,
        ppo=CART_POLE_PPO,
    ),
}
