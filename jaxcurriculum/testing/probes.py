"""Probe environments whose values, optima and task bookkeeping are known exactly."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum import Box, Discrete, Environment, Product, TimeStep
from jaxcurriculum.records import Key, PyTree

UNIT = Box(names=("x",), low=(0.0,), high=(1.0,))
ACTIONS = Box(names=("a",), low=(-1.0,), high=(1.0,))


def _timestep(obs, reward, terminated):
    return TimeStep(
        obs=jax.tree.map(lambda leaf: jnp.atleast_1d(leaf).astype(jnp.float32), obs),
        reward=jnp.asarray(reward, jnp.float32),
        terminated=jnp.asarray(terminated, bool),
        truncated=jnp.zeros((), bool),
    )


def endless(max_episode_steps: int = 5) -> Environment:
    """Reward 1 a step for ever, cut after `max_episode_steps`: the value is 1 / (1 - discount)."""
    return Environment(
        name="endless",
        task_space=UNIT,
        action_space=ACTIONS,
        max_episode_steps=max_episode_steps,
        solved_above=0.0,
        generate=lambda key, task: task,
        reset=lambda key, level: (jnp.zeros(()), _timestep(1.0, 0.0, False)),
        step=lambda key, level, state, action: (state, _timestep(1.0, 1.0, False)),
    )


def delayed() -> Environment:
    """Two steps, observations 0 then 1, reward 1 at the end: the values are discount and 1."""
    return Environment(
        name="delayed",
        task_space=UNIT,
        action_space=ACTIONS,
        max_episode_steps=10,
        solved_above=0.5,
        generate=lambda key, task: task,
        reset=lambda key, level: (jnp.zeros(()), _timestep(0.0, 0.0, False)),
        step=lambda key, level, state, action: (state + 1, _timestep(1.0, state, state >= 1)),
    )


def target() -> Environment:
    """One step, reward -(action - (task - 1/2))^2: the best mean action is task - 1/2."""
    return Environment(
        name="target",
        task_space=UNIT,
        action_space=ACTIONS,
        max_episode_steps=1,
        solved_above=-0.01,
        generate=lambda key, task: task,
        reset=lambda key, level: (jnp.zeros(()), _timestep(level[0], 0.0, False)),
        step=lambda key, level, state, action: (
            state,
            _timestep(level[0], -((action[0] - level[0] + 0.5) ** 2), True),
        ),
    )


def counting(max_length: int = 7) -> Environment:
    """1 + floor(task * max_length) steps, each paid the level's number (task + key noise).

    So length and return tell which level an episode was really played on.
    """

    def generate(key, task):
        return {
            "number": task[0] + jax.random.uniform(key),
            "length": 1 + jnp.floor(task[0] * max_length),
        }

    def step(key, level, state, action):
        return state + 1, _timestep(jnp.zeros(()), level["number"], state + 1 >= level["length"])

    return Environment(
        name="counting",
        task_space=UNIT,
        action_space=ACTIONS,
        max_episode_steps=1000,
        solved_above=0.0,
        generate=generate,
        reset=lambda key, level: (jnp.zeros(()), _timestep(0.0, 0.0, False)),
        step=step,
    )


def remember(delay: int = 4) -> Environment:
    """A cue is seen in the first step only; the action of the last one is to repeat it.

    Return 1 if it does, else 0. Whoever remembers nothing does not know the cue any more: no such
    policy reaches more than 1/2 on average.
    """

    def observe(cue: jax.Array, time: jax.Array) -> dict[str, jax.Array]:
        seen = jnp.where(time == 0, 2.0 * cue - 1.0, 0.0)
        return {"cue": seen[None], "time": jax.nn.one_hot(time, delay + 1)}

    def generate(key: Key, task: jax.Array) -> jax.Array:
        return jax.random.bernoulli(key).astype(jnp.int32)

    def reset(key: Key, cue: jax.Array) -> tuple[jax.Array, TimeStep]:
        time = jnp.int32(0)
        return time, _timestep(observe(cue, time), 0.0, False)

    def step(key: Key, cue: jax.Array, time: jax.Array, action: jax.Array):
        is_last = time == delay
        reward = jnp.where(is_last & (action == cue), 1.0, 0.0)
        time = time + 1
        return time, _timestep(observe(cue, time), reward, is_last)

    return Environment(
        name="remember",
        task_space=UNIT,
        action_space=Discrete(num=2),
        max_episode_steps=delay + 1,
        solved_above=0.5,
        generate=generate,
        reset=reset,
        step=step,
    )


def hidden_door(num_doors: int = 3) -> Environment:
    """One step, in which nothing is seen; reward 1 for the action that is the level's door.

    Whoever may try n times opens it in attempt k with probability min(k / num_doors, 1) at best,
    if it remembers what it has tried and where it was; else with 1 / num_doors every time.
    """

    def step(key: Key, door: jax.Array, state: jax.Array, action: jax.Array):
        return state, _timestep(0.0, action == door, True)

    return Environment(
        name="hidden door",
        task_space=UNIT,
        action_space=Discrete(num=num_doors),
        max_episode_steps=1,
        solved_above=0.5,
        generate=lambda key, task: jax.random.randint(key, (), 0, num_doors),
        reset=lambda key, level: (jnp.zeros(()), _timestep(0.0, 0.0, False)),
        step=step,
    )


def picture(size: int = 6) -> Environment:
    """One step: a picture of bytes shows a bright square on its left, 0, or its right, 1.

    Reward 1 for saying which: the value is 1, and 1/2 for whoever does not look.
    """

    def observe(side: jax.Array) -> jax.Array:
        place = jnp.stack([jnp.arange(size) < size // 2, jnp.arange(size) >= size // 2])[side]
        bright = jnp.where(place & (jnp.arange(size) % (size // 2) > 0), 255, 0)
        image = jnp.broadcast_to(bright[None, :, None], (size, size, 1))
        return image.astype(jnp.uint8)

    def show(side: jax.Array, reward: jax.Array | float, over: bool) -> TimeStep:
        return _timestep(0.0, reward, over).replace(obs=observe(side))

    return Environment(
        name="picture",
        task_space=UNIT,
        action_space=Discrete(num=2),
        max_episode_steps=1,
        solved_above=0.5,
        generate=lambda key, task: jax.random.bernoulli(key).astype(jnp.int32),
        reset=lambda key, side: (jnp.zeros(()), show(side, 0.0, False)),
        step=lambda key, side, state, action: (state, show(side, action == side, True)),
    )


def switch_and_lever() -> Environment:
    """One step with two parts of an action: the switch as the sign is, the lever at task - 1/2.

    Reward 1 for the switch less the squared error of the lever: at best 1 for every task.
    """

    def show(level: PyTree, reward: jax.Array | float, over: bool) -> TimeStep:
        sign = 2.0 * level["switch"] - 1.0
        return _timestep({"sign": sign, "place": level["place"]}, reward, over)

    def generate(key: Key, task: jax.Array) -> PyTree:
        return {"switch": jax.random.bernoulli(key).astype(jnp.int32), "place": task[0]}

    def step(key: Key, level: PyTree, state: jax.Array, action: PyTree):
        error = action["lever"][0] - (level["place"] - 0.5)
        reward = (action["switch"] == level["switch"]) - error**2
        return state, show(level, reward, True)

    return Environment(
        name="switch and lever",
        task_space=UNIT,
        action_space=Product(switch=Discrete(num=2), lever=ACTIONS),
        max_episode_steps=1,
        solved_above=0.9,
        generate=generate,
        reset=lambda key, level: (jnp.zeros(()), show(level, 0.0, False)),
        step=step,
    )


def toll(length: int = 26, gate: int = 16) -> Environment:
    """A path of `length` steps whose end is worth 5, with a toll of 1/2 at step `gate`.

    Before the gate one of two actions is right and pays 1/20; the other one ends the episode, but
    for the first step, where it leads to a detour that pays 3 at its end. With a discount of 0.73
    the toll is not worth the 10 steps of walking; with 0.94 whoever does not know the path yet is
    better off with the detour. A task is how far to go (1 to `length`), solved by the path alone.
    """

    def observe(state: dict[str, jax.Array]) -> jax.Array:
        time = jax.nn.one_hot(state["time"], length)
        return jnp.where(state["strayed"], 0.0, time)

    def reset(key: Key, goal: jax.Array) -> tuple[dict[str, jax.Array], TimeStep]:
        state = {"time": jnp.int32(0), "strayed": jnp.bool_(False)}
        return state, _timestep(observe(state), 0.0, False)

    def step(key: Key, goal: jax.Array, state: dict[str, jax.Array], action: jax.Array):
        time, strayed = state["time"], state["strayed"]
        is_wrong = (action != time % 2) & (time <= gate)
        fails = is_wrong & ~strayed & (time > 0)
        strayed = strayed | (is_wrong & (time == 0))
        is_last = time + 1 >= goal
        on_the_way = jnp.where(time < gate, 0.05, jnp.where(time == gate, -0.5, 0.0))
        on_the_path = jnp.where(fails, 0.0, on_the_way + jnp.where(is_last, 5.0, 0.0))
        reward = jnp.where(strayed, jnp.where(is_last, 3.0, 0.0), on_the_path)
        state = {"time": time + 1, "strayed": strayed}
        return state, _timestep(observe(state), reward, is_last | fails)

    return Environment(
        name="toll",
        task_space=Box(names=("goal",), low=(1.0,), high=(float(length),)),
        action_space=Discrete(num=2),
        max_episode_steps=length,
        solved_above=4.0,
        generate=lambda key, task: jnp.round(task[0]).astype(jnp.int32),
        reset=reset,
        step=step,
    )
