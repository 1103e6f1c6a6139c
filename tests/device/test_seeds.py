"""Seeds over devices, bit for bit, in one compiled program."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from counting_loop import LOOP
from jax.experimental.compilation_cache import compilation_cache

from jaxcurriculum import make_loop, map_seeds, teachers
from jaxcurriculum.students import simulated
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.laws import assert_equal


@pytest.mark.slow
@pytest.mark.parametrize("group", [1, 2])
def test_seeds_are_the_same_bit_for_bit_whatever_the_devices_and_the_other_seeds(group):
    num, start = 2 * group, jnp.int32(0)
    states = quick_jit(jax.vmap(LOOP.init))(jax.random.split(jax.random.key(3), num))
    everywhere = map_seeds(LOOP.round, num, group)(states, start)
    one_device = map_seeds(LOOP.round, num, group, jax.devices()[:1])(states, start)
    first_group = jax.tree.map(lambda x: x[:group], (states, everywhere))
    alone = map_seeds(LOOP.round, group, group)(first_group[0], start)
    assert len(everywhere[1].returns.sharding.device_set) == 2
    assert_equal(everywhere, one_device)
    assert_equal(first_group[1], alone)


@pytest.mark.slow
def test_another_group_agrees_closely_over_the_first_round():
    states = quick_jit(jax.vmap(LOOP.init))(jax.random.split(jax.random.key(4), 2))
    (one, _), (two, _) = (map_seeds(LOOP.round, 2, group)(states, jnp.int32(0)) for group in (1, 2))
    for x, y in zip(
        jax.tree.leaves(one.student.learner.params), jax.tree.leaves(two.student.learner.params)
    ):
        np.testing.assert_allclose(x, y, atol=1e-4)


def _set(options):
    for name, value in options.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture
def empty_cache(tmp_path):
    """A folder that alone keeps compiled programs, all of them."""
    options = {
        "jax_compilation_cache_dir": str(tmp_path),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
    }
    before = {name: jax.config.values[name] for name in options}
    _set(options)
    yield tmp_path
    _set(before)


def test_a_study_compiles_once_for_all_devices(empty_cache):
    """The first device compiles, and what it leaves in the cache is loaded onto the second."""
    student = simulated.abilities()
    loop = make_loop(teachers.random(student.task_space), student, [[1.0, 2.0], [2.0, 5.0]])
    advance = map_seeds(loop.advance, 2)
    states = map_seeds(loop.init, 2)(jax.random.split(jax.random.key(5), 2))
    events = []
    listen = lambda event, **_: events.append(event)
    jax.monitoring.register_event_listener(listen)
    for i in range(3):
        states, report = advance(states, jnp.int32(i))
    jax.monitoring.unregister_event_listener(listen)
    assert len(report.evaluation.returns.sharding.device_set) == 2
    assert len(list(empty_cache.glob("jit_program-*-cache"))) == 2, "init and advance"
    assert events.count("/jax/compilation_cache/cache_hits") == 1


def test_what_calls_back_into_python_runs_on_each_device():
    seen = []

    def double(x):
        jax.debug.callback(lambda value: seen.append(float(value)), x)
        return 2 * x

    doubled = map_seeds(double, 2)(jnp.array([1.0, 2.0]))
    jax.effects_barrier()
    assert doubled.tolist() == [2.0, 4.0] and sorted(seen) == [1.0, 2.0]


def test_other_shapes_are_another_program():
    total = map_seeds(lambda x, y: x.sum() + y, 2)
    assert total(jnp.ones((2, 3)), 1).tolist() == [4.0, 4.0]
    assert total(jnp.ones((2, 5)), 1.5).tolist() == [6.5, 6.5]
