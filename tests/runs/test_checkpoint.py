"""Checkpoints: the whole state comes back, damage and mistakes are named."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.runs.checkpoint import Checkpoints, digest
from jaxcurriculum.runs.errors import RunError

CONFIG = {"teacher": "random", "seeds": 2}


def state(number, size=64):
    values = jnp.arange(2 * size, dtype=jnp.float32).reshape(2, size) + number
    return {
        "key": jax.random.split(jax.random.key(number), 2),
        "values": values,
        "flag": jnp.array([True, False]),
    }


@pytest.fixture
def folder(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        for number in (1, 2, 3):
            checkpoints.save(number, state(number), CONFIG)
    return tmp_path


def test_the_state_comes_back_with_its_keys_and_old_ones_are_pruned(folder):
    assert sorted(path.name for path in folder.iterdir()) == ["2", "3"]
    with Checkpoints(folder) as checkpoints:
        done, restored, damages = checkpoints.restore(state(0), CONFIG)
    assert (done, damages) == (3, [])
    assert digest(restored) == digest(state(3)) != digest(state(2))
    assert jnp.array_equal(jax.random.bits(restored["key"][1]), jax.random.bits(state(3)["key"][1]))


def test_where_nothing_was_saved_nothing_is_restored(tmp_path):
    with Checkpoints(tmp_path) as checkpoints:
        assert checkpoints.restore(state(0), CONFIG) is None


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def missing(path):
    path.unlink()


@pytest.mark.parametrize(
    "harm, file",
    [
        (truncate, "state/arrays.npz"),
        (flip, "state/arrays.npz"),
        (missing, "state/arrays.npz"),
        (truncate, "about/metadata"),
        (missing, "about/metadata"),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_and_then_replaced(folder, harm, file):
    harm(folder / "3" / file)
    with Checkpoints(folder) as checkpoints:
        done, restored, damages = checkpoints.restore(state(0), CONFIG)
        assert done == 2 and digest(restored) == digest(state(2))
        assert len(damages) == 1 and "3 is damaged" in damages[0]
        assert (folder / "3").exists(), "who only reads removes nothing"
        checkpoints.forget_after(2)
        checkpoints.save(3, state(3), CONFIG)
    with Checkpoints(folder) as checkpoints:
        assert checkpoints.restore(state(0), CONFIG)[0] == 3


def test_without_an_intact_checkpoint_it_says_so(folder):
    for path in folder.rglob("arrays.npz"):
        truncate(path)
    with (
        Checkpoints(folder) as checkpoints,
        pytest.raises(RunError, match="No intact checkpoint is left"),
    ):
        checkpoints.restore(state(0), CONFIG)


def test_a_foreign_checkpoint_is_refused_by_setting_and_by_shape(folder):
    with Checkpoints(folder) as checkpoints:
        with pytest.raises(
            RunError, match="another run: setting teacher is random there and oracle here"
        ):
            checkpoints.restore(state(0), CONFIG | {"teacher": "oracle"})
        with pytest.raises(
            RunError,
            match=(
                r"another run: shape of values is float32\[2, 64\] there and float32\[2, 32\] here"
            ),
        ):
            checkpoints.restore(state(0, size=32), CONFIG)


def test_saving_twice_is_saving_once(folder):
    before = {path: path.stat().st_mtime_ns for path in (folder / "3").rglob("*")}
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(3, state(9), CONFIG)
    assert {path: path.stat().st_mtime_ns for path in (folder / "3").rglob("*")} == before


def test_digest_sees_shape_free_bytes():
    assert digest({"a": jnp.float32(0.0)}) != digest({"a": jnp.float32(-0.0)})
    assert digest({"a": np.zeros(3, np.float32)}) == digest({"a": jnp.zeros(3)})


@pytest.mark.filterwarnings("error")  # pytest hears of what a thread could not raise
def test_damage_is_said_in_one_sentence_and_nothing_else(tmp_path, capfd):
    """Of many arrays: a reader that reads them at once may fail many times."""
    many = {f"leaf {number}": jnp.arange(2000.0).reshape(2, 1000) for number in range(60)}
    with Checkpoints(tmp_path) as checkpoints:
        checkpoints.save(1, many, CONFIG)
    files = [path for path in (tmp_path / "1" / "state").rglob("*") if path.is_file()]
    for path in files:
        if not path.read_bytes().startswith(b"{"):  # what is not JSON holds the arrays
            truncate(path)
    with Checkpoints(tmp_path) as checkpoints, pytest.raises(RunError) as caught:
        checkpoints.restore(many, CONFIG)
    assert "1 is damaged" in str(caught.value) and "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
