"""An editor of a box: what a move does, and what the builder sees of it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box
from jaxcurriculum.teachers import BoxEditorConfig, box_editor
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import EnvironmentTrial

SPACE = Box(
    names=("x", "scale", "constant"), low=(-1, 1, 2), high=(1, 100, 2), log=(False, True, False)
)


def built(editor, actions, seeds):
    """Tasks that `actions` build, [seeds, ...], and what was seen before each and after them."""

    def build(seed, actions):
        keys = jax.random.split(jax.random.key(seed), 4)
        state, timestep = editor.env.reset(keys[3], ())
        seen = [timestep]
        for i in range(3):
            state, timestep = editor.env.step(keys[i], (), state, actions[i])
            seen.append(timestep)
        return editor.finish(state), jax.tree.map(lambda *leaves: jnp.stack(leaves), *seen)

    many = quick_jit(jax.vmap(build, in_axes=(0, None)))(jnp.arange(seeds), jnp.array(actions))
    return jax.tree.map(np.asarray, many)


def test_a_move_chooses_a_part_of_its_axis():
    editor = box_editor(SPACE, BoxEditorConfig(num_bins=4))
    tasks, _ = built(editor, [3, 1, 0], seeds=200)
    unit = np.stack([(tasks[:, 0] + 1) / 2, np.log(tasks[:, 1]) / np.log(100)])
    low = np.array([[0.75], [0.25]])
    assert np.all((unit >= low - 1e-5) & (unit <= low + 0.25 + 1e-5))
    assert np.all(np.ptp(unit, axis=1) > 0.24), "all of the part is reached"
    assert np.all(tasks[:, 2] == 2)


def test_a_move_is_any_number():
    editor = box_editor(SPACE, BoxEditorConfig(num_bins=None))
    task, _ = built(editor, [[-0.5], [0.0], [1.0]], seeds=1)
    np.testing.assert_allclose(task, [[-0.5, 10.0, 2.0]], rtol=1e-5)


def test_every_move_is_told_from_the_others():
    """dcd's one-hot helper gave all moves the same code, so that its clock said nothing."""
    _, seen = built(box_editor(SPACE), [2, 2, 2], seeds=1)
    codes = seen.obs["move"][0]
    np.testing.assert_array_equal(codes, [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]])
    assert seen.terminated[0].tolist() == [False, False, False, True]


@pytest.mark.parametrize(("noise", "num_different"), [("move", 4), ("level", 1)])
def test_noise_is_drawn_for_each_move_or_level(noise, num_different):
    editor = box_editor(SPACE, BoxEditorConfig(noise=noise, noise_size=3))
    _, seen = built(editor, [2, 2, 2], seeds=2)
    shown = seen.obs["noise"].reshape(-1, 3)
    assert len(np.unique(shown, axis=0)) == 2 * num_different


def test_an_editor_is_an_environment():
    laws.keeps_its_contract(EnvironmentTrial(box_editor(SPACE).env))


def test_it_needs_a_box():
    with pytest.raises(TypeError, match="box_editor.space must be of the type Box, got 3"):
        box_editor(3)
