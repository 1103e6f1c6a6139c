"""A rehearsal names the function that gave the first number that is not finite."""

import dataclasses

import jax.numpy as jnp
import pytest
from rich.console import Console

from jaxcurriculum import Box, Discrete, Environment, TimeStep, make_loop, students, teachers
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.runs.experiment import make_experiment
from jaxcurriculum.runs.rehearse import debug

SIZES = RolloutConfig(num_envs=4, num_steps=16, pool_size=8)


def corridor(at_start=0.0, level=0.0, late_reward=0.0, late_state=1.0):
    """Walk for eight steps; at step 5 its reward and its alarm change."""

    def show(place, count, obs=0.0, reward=0.0):
        return TimeStep({"place": place + obs}, place + reward, count >= 8, False)

    def generate(key, task):
        return task + level

    def reset(key, goal):
        state = {"place": jnp.float32(0), "count": jnp.int32(0), "alarm": jnp.float32(jnp.inf)}
        return state, show(state["place"], 0, obs=at_start)

    def step(key, goal, state, action):
        count = state["count"] + 1
        place = state["place"] + 1
        alarm = jnp.where(count == 5, state["alarm"] * late_state, state["alarm"])
        seen = show(place, count, reward=jnp.where(count == 5, late_reward, 0.0))
        return {"place": place, "count": count, "alarm": alarm}, seen

    return Environment(
        name="corridor",
        task_space=Box(names=("end",), low=(-1.0,), high=(1.0,)),
        action_space=Discrete(2),
        max_episode_steps=50,
        solved_above=0.5,
        generate=generate,
        reset=reset,
        step=step,
    )


def rehearse(env):
    """What is said of a rehearsal in `env`."""

    def make(watch):
        config = students.PpoConfig(hidden=(4,), minibatch_size=64, num_epochs=1)
        student = students.ppo(watch(env), config, SIZES)
        teacher = teachers.random(env.task_space)
        return make_experiment(make_loop(teacher, student, [[0.0]]), 1, 64)

    said = Console(record=True)
    debug(make, said)
    return said.export_text()


def test_infinities_of_a_state_are_no_fault():
    assert "No nan in 1 round of 64 environment steps; 8 episodes ended." in rehearse(corridor())


@pytest.mark.parametrize(
    "faults, message",
    [
        ({"late_reward": jnp.nan}, "corridor.step .* in timestep.reward"),
        ({"at_start": jnp.inf}, "corridor.reset .* in timestep.obs.place"),
        ({"level": jnp.nan, "at_start": jnp.nan}, "corridor.generate .* in level"),
        ({"late_reward": jnp.nan, "late_state": 0.0}, "corridor.step .* in state.alarm"),
    ],
)
def test_the_first_function_is_named(faults, message):
    with pytest.raises(FloatingPointError, match=message):
        rehearse(corridor(**faults))


def test_a_wrong_function_of_the_student_is_named_where_the_world_is_right():
    env = corridor()

    def make(watch):
        student = students.ppo(
            watch(env), students.PpoConfig(hidden=(4,), minibatch_size=64), SIZES
        )
        train = student.train

        def broken(key, state, proposals, round):
            state, episodes = train(key, state, proposals, round)
            return state, episodes.replace(returns=episodes.returns * jnp.nan)

        student = dataclasses.replace(student, train=broken)
        return make_experiment(make_loop(teachers.random(env.task_space), student, [[0.0]]), 1, 64)

    with pytest.raises(FloatingPointError, match="ppo.train made a nan"):
        debug(make, Console(quiet=True))
