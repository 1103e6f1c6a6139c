"""Small students to challenge, and proposals for them."""

import jax

from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig
from jaxcurriculum.students.simulated import (
    ToyGridConfig,
)

GRID = ToyGridConfig(cells=4, episodes_per_round=600)
SMALL_PPO = (
    PpoConfig(hidden=(8,), minibatch_size=32, num_epochs=1),
    RolloutConfig(num_envs=4, num_steps=16, pool_size=32),
)


def proposals_in(space, num, key=0):
    key_tasks, key_seeds = jax.random.split(jax.random.key(key))
    return fresh_proposals(key_seeds, jax.vmap(space.sample)(jax.random.split(key_tasks, num)))
