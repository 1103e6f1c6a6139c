"""A run whose seeds do not fit into the memory is refused before it begins."""

import jax
import jax.numpy as jnp
import pytest

from jaxcurriculum import make_loop, runs, teachers, tree
from jaxcurriculum.rollout import ReplayConfig
from jaxcurriculum.runs import experiment
from jaxcurriculum.students import sac
from jaxcurriculum.testing import probes


def test_seeds_whose_replays_do_not_fit_are_named(monkeypatch):
    env = probes.target()
    student = sac(env, replay=ReplayConfig(capacity=2**24))
    loop = make_loop(teachers.random(env.task_space), student, jnp.array([[0.5]]))
    num_bytes = tree.num_bytes(jax.eval_shape(loop.init, jax.random.key(0)))
    monkeypatch.setattr(experiment, "memory_bytes", lambda: 2 * 4 * num_bytes)
    experiment.check_memory(experiment.make_experiment(loop, 4, 1e6))
    gib = num_bytes / 2**30
    message = (
        rf"`num_seeds` of 5 take {10 * gib:.3g} GiB .* there are {8 * gib:.3g} GiB of memory;"
        r" the largest leaf of the states is \.student\.replay\."
    )
    with pytest.raises(runs.RunError, match=message):
        experiment.check_memory(experiment.make_experiment(loop, 5, 1e6))
