"""A learner that breaks its contract is named, with the function and what it gave."""

import dataclasses

import jax.numpy as jnp
import pytest

from jaxcurriculum import Learner
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import on_policy
from jaxcurriculum.testing import probes

ENV = probes.remember()
NUM, SMALL = 4, RolloutConfig(num_envs=4, num_steps=6, pool_size=8)


def act(key, state, memory, obs, first, deterministic):
    return memory, jnp.zeros(NUM, jnp.int32), obs["cue"]


HONEST = Learner(
    name="mine",
    init=lambda key: {"rate": jnp.float32(0)},
    memory=lambda num: jnp.zeros((num, 2)),
    act=act,
    learn=lambda key, state, experience: (state, None),
    report=lambda state: state,
    has_critic=False,
)


def gives(**changes):
    """`act` with other results."""

    def changed(key, state, memory, obs, first, deterministic):
        results = dict(zip(("memory", "action", "extras"), act(key, state, memory, obs, first, 0)))
        return tuple((results | changes).values())

    return {"act": changed}


def learns(state=None, critique=None):
    return {"learn": lambda key, old, experience: (state or old, critique)}


def test_an_honest_learner_passes():
    assert on_policy(ENV, HONEST, SMALL).name == "mine"


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"memory": lambda num: jnp.zeros((2, num))}, r"memory: leaf .* must be \[4, ...\]"),
        (gives(action=jnp.zeros((4, 1), jnp.int32)), r"action of act.* int32\[4\].* int32\[4, 1\]"),
        (gives(action=jnp.zeros(4)), r"action of act.* int32\[4\].* float32\[4\]"),
        (gives(memory=jnp.zeros((4, 3))), r"memory through act.* float32\[4, 2\]"),
        (gives(extras=jnp.zeros(3)), r"extras of act: leaf .* must be \[4, ...\], got \[3\]"),
        ({"act": lambda *_: jnp.zeros(4)}, r"act: must return \(memory, action, extras\)"),
        (learns(state={"rate": jnp.zeros(2)}), r"state through learn: leaf \['rate'\]"),
        ({"learn": lambda key, state, experience: state["rate"]}, r"learn: must return \(state, "),
        (learns(critique=jnp.zeros(2)), "must return no critique, as has_critic is False"),
        ({"has_critic": True}, "must return a Critique, as has_critic is True"),
        ({"has_critic": "no"}, "has_critic must be True or False, got 'no'"),
        ({"report": lambda state: jnp.zeros(2)}, "must return a dictionary of scalars"),
    ],
)
def test_what_breaks_the_contract_is_named(changes, message):
    with pytest.raises(ValueError, match=f"Learner 'mine'.*{message}"):
        on_policy(ENV, dataclasses.replace(HONEST, **changes), SMALL)


def test_something_else_is_no_learner():
    with pytest.raises(TypeError, match="on_policy.learner must be a Learner, .* got NoneType"):
        on_policy(ENV, None, SMALL)
