"""JAX's own switches: what no loop can use is refused where loops and roles are made, in one
sentence.
"""

import re

import jax
import jax.numpy as jnp
import pytest

from jaxcurriculum import envs, make_loop, teachers
from jaxcurriculum.students import simulated

OTHER = {
    "jax_enable_x64": True,
    "jax_default_prng_impl": "rbg",
    "jax_debug_nans": True,
    "jax_debug_infs": True,
}
STUDENT = simulated.toy_grid(simulated.ToyGridConfig(cells=4))
KEY = jax.random.key(0)
TASKS = jnp.full((2, 2), 0.5)


@pytest.fixture
def switch():
    """Sets a switch until the test ends."""
    before = {}

    def update(name, value):
        before.setdefault(name, getattr(jax.config, name))
        jax.config.update(name, value)

    yield update
    for name, value in before.items():
        jax.config.update(name, value)


@pytest.mark.parametrize("name", OTHER)
def test_make_loop_refuses_what_no_loop_can_use(switch, name):
    teacher = teachers.alp_gmm(STUDENT.task_space)
    switch(name, OTHER[name])
    with pytest.raises(
        ValueError,
        match=(
            rf'^{name} must be .*, as .*, got .*: call jax.config.update\("{name}", .*\) first\.$'
        ),
    ) as error:
        make_loop(teacher, STUDENT, TASKS)
    exec(
        re.search(r"call (.*) first\.$", str(error.value)).group(1), {"jax": jax}
    )  # the remedy is one
    make_loop(teacher, STUDENT, TASKS)


@pytest.mark.parametrize(
    "make", [lambda: teachers.random(STUDENT.task_space), simulated.toy_grid, envs.stump_tracks]
)
def test_no_role_is_made_in_float64(switch, make):
    switch("jax_enable_x64", True)
    with pytest.raises(
        ValueError,
        match="jax_enable_x64 must be False, as everything is computed in float32, got True",
    ):
        make()


def test_why_alarms_are_refused(switch):
    """The built-in parts hold infinity where nothing is known or there."""
    exp3 = teachers.exp3(teachers.arms.cells(STUDENT.task_space, 2))
    init = jax.jit(lambda key: exp3.init(key))
    switch("jax_debug_infs", True)
    with pytest.raises(FloatingPointError, match="inf"):
        init(KEY)


def test_why_other_generators_are_refused(switch):
    switch("jax_default_prng_impl", "rbg")
    number = lambda seed: jax.random.bits(jax.random.key(seed))
    in_batch, alone = jax.vmap(number)(jnp.arange(2)), jnp.stack([number(0), number(1)])
    assert in_batch[0] == alone[0] and in_batch[1] != alone[1]


def test_looking_for_leaks_changes_nothing(switch):
    loop = make_loop(teachers.alp_gmm(STUDENT.task_space), STUDENT, TASKS)
    plain = jax.make_jaxpr(loop.advance)(jax.eval_shape(loop.init, KEY), jnp.int32(0))
    switch("jax_check_tracer_leaks", True)
    watched = jax.make_jaxpr(loop.advance)(jax.eval_shape(loop.init, KEY), jnp.int32(0))
    assert str(watched) == str(plain)
