import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.envs.walker.engine.batching import in_blocks, trailing_batch


@trailing_batch
def engine(table, state):
    """table [3, N], state {"a": [2, N], "b": [N]}."""
    return {"a": state["a"] * table[:2] + table[2:], "b": jnp.sin(state["b"]) + table.sum(0)}


def example(*shape):
    rng = np.random.default_rng(0)
    return rng.normal(size=(*shape, 3)), {
        "a": rng.normal(size=(*shape, 2)),
        "b": rng.normal(size=shape),
    }


def test_single_is_the_engine_at_one():
    table, state = jax.tree.map(jnp.asarray, example())
    result = engine(table, state)
    np.testing.assert_allclose(result["a"], state["a"] * table[:2] + table[2], rtol=1e-6)
    assert result["b"].shape == ()


def test_nested_vmaps_equal_loops():
    table, state = jax.tree.map(jnp.asarray, example(4, 5))
    mapped = jax.vmap(jax.vmap(engine))(table, state)
    for i in range(4):
        for j in range(5):
            single = engine(table[i, j], jax.tree.map(lambda x, i=i, j=j: x[i, j], state))
            jax.tree.map(
                lambda a, b, i=i, j=j: np.testing.assert_allclose(a[i, j], b, rtol=1e-6),
                mapped,
                single,
            )


def test_unmapped_arguments_and_other_axes():
    table, state = jax.tree.map(jnp.asarray, example(4, 5))
    inner = jax.vmap(engine, in_axes=(None, 0), out_axes=-1)
    both = jax.vmap(inner, in_axes=(0, None), out_axes=0)(
        table[:, 0], jax.tree.map(lambda x: x[0], state)
    )
    assert both["a"].shape == (4, 2, 5)
    single = engine(table[2, 0], jax.tree.map(lambda x: x[0, 3], state))
    np.testing.assert_allclose(both["a"][2, :, 3], single["a"], rtol=1e-6)


@pytest.mark.parametrize("one_function", [True, False])
@pytest.mark.parametrize("num", [12, 13, 16, 41])
def test_blocks_change_nothing(num, one_function):
    def function(x, y):
        return {"sum": x + y[None], "y": y * 2}

    x, y = jnp.arange(3.0 * num).reshape(3, num), jnp.arange(float(num))
    for block in (8, 16, 104):
        jax.tree.map(
            np.testing.assert_array_equal,
            in_blocks(function, block, one_function)(x, y),
            function(x, y),
        )


@pytest.mark.parametrize(
    "num, size", [(7, 7), (8, 8), (13, 8), (16, 8), (32, 16), (33, 16), (100, 16), (1024, 16)]
)
def test_blocks_are_at_least_two_and_overlap_where_they_do_not_divide_the_batch(num, size):
    sizes = []
    jax.make_jaxpr(in_blocks(lambda x: sizes.append(x.shape[-1]) or x, 16 if num > 16 else 8))(
        jnp.zeros((2, num))
    )
    assert sizes[-1] == size


def test_a_batch_stays_whole_on_a_gpu(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    sizes = []
    in_blocks(lambda x: sizes.append(x.shape[-1]) or x, 4)(jnp.zeros((2, 12)))
    assert sizes == [12]


def test_the_loop_over_blocks_is_marked_where_xla_can_make_it_one_function(monkeypatch):
    x = jnp.zeros((2, 32))

    def is_marked(one_function):
        blocked = jax.jit(in_blocks(jnp.sin, 16, one_function))
        return "xla_cpu_small_call" in blocked.lower(x).as_text()

    assert is_marked(True) and not is_marked(False)
    monkeypatch.setenv("XLA_FLAGS", "")
    assert not is_marked(True)
