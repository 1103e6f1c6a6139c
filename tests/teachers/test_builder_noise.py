"""What a builder of mazes makes of the noise that it is shown."""

import dataclasses

import jax
import numpy as np
from building import BUILDER, NUM

from jaxcurriculum import envs, learners
from jaxcurriculum.teachers.parts.building import build
from jaxcurriculum.testing.compiling import quick_jit


def test_noise_alone_changes_which_maze_is_built():
    """Nothing else differs between these builders: moves are certain, and all keys are equal."""
    mazes = envs.Mazes(size=5, num_walls=4)

    def num_mazes(size):
        config = envs.MazeEditorConfig(noise_size=size, noise="level")
        editor = envs.maze_editor(mazes, config)
        env = editor.env

        def reset(key, level):
            same, _ = env.reset(jax.random.key(0), level)
            other, timestep = env.reset(key, level)
            return same.replace(noise=other.noise), timestep

        def step(key, *given):
            return env.step(jax.random.key(0), *given)

        alike = dataclasses.replace(editor, env=dataclasses.replace(env, reset=reset, step=step))
        learner = learners.ppo(env, dataclasses.replace(BUILDER, memory="none"), NUM)
        certain = dataclasses.replace(learner, act=lambda *given: learner.act(*given[:-1], True))

        def built(key):
            return build(key, alike, certain, learner.init(key), NUM)[0]

        tasks = quick_jit(built)(jax.random.key(0))
        numbers = [np.reshape(leaf, (NUM, -1)) for leaf in jax.tree.leaves(tasks)]
        return len(np.unique(np.concatenate(numbers, axis=1), axis=0))

    assert (num_mazes(0), num_mazes(16)) == (1, NUM)
