"""A small world of dictionaries and a teacher that writes down what it is told."""

import types

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Box, Discrete, Environment, Product, TimeStep


def dictionary_world(length=3):
    """Walk to the end that the task names; tasks, actions and observations are all nested."""

    def show(level, place):
        obs = {
            "place": (place, {"share": place / length}),
            "level": jnp.stack([level["goal"], level["seed_seen"]]),
            "left": place < 0,
        }
        arrived = place == length * level["goal"]
        return TimeStep(obs, arrived.astype(jnp.float32), jnp.abs(place) >= length, False)

    def generate(key, task):
        return {"goal": jnp.sign(task["goal"][0]), "seed_seen": jax.random.uniform(key)}

    def reset(key, level):
        return jnp.int32(0), show(level, jnp.int32(0))

    def step(key, level, place, action):
        place = place + 2 * action["move"] - 1
        return place, show(level, place)

    push = Box(names=("push",), low=(-1.0,), high=(1.0,))
    return Environment(
        name="dictionary",
        task_space=Product(
            goal=Box(names=("goal",), low=(-1.0,), high=(1.0,)), kind=Discrete(num=2)
        ),
        action_space=Product(move=Discrete(num=2), push=push),
        max_episode_steps=length + 2,
        solved_above=0.5,
        generate=generate,
        reset=reset,
        step=step,
    )


class Recorder:
    """A teacher whose tickets all lead to the right; it writes down what it is told."""

    def __init__(self):
        self.tickets, self.asked, self.told = [], [], []

    def sample(self, num):
        self.asked.append(num)
        first = len(self.tickets)
        for number in range(first, first + num):
            task = {"goal": np.array([1.0]), "kind": np.int32(0)}
            self.tickets.append(types.SimpleNamespace(number=number, task=task, seed=100 + number))
        return self.tickets[first:]

    def update(self, ticket, episode_return, *, length, solved):
        self.told.append(("update", ticket.number, episode_return, length, solved))

    def drop(self, ticket):
        self.told.append(("drop", ticket.number))
