"""The studies of TeachMyAgent's challenges, and the table of what they found."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import teach_my_agent
import teach_my_agent_studies
from made_up_runs import made_up_run

from jaxcurriculum.study.cells import cells_of
from jaxcurriculum.testing.compiling import quick_jit

PLACE = "before\n<!-- written by teach_my_agent.py -->\n<!-- end -->\nafter\n"
NUMBERS = {"random": [1, 1, 1, 1, 2], "alp-gmm-tma": [2, 3, 3, 3, 4], "plr": [1, 1, 0, 0, 2]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two challenges: in the second random masters nothing."""
    path = tmp_path_factory.mktemp("challenges")
    for teacher, solved in NUMBERS.items():
        made_up_run(path / "rugged" / "runs" / teacher, solved)
        none = [0] * 5 if teacher == "random" else solved
        made_up_run(path / "forgetting" / "runs" / teacher, none)
    return path


def test_the_table_and_the_chart_are_written_again_and_again(folder, tmp_path):
    page = tmp_path / "teach_my_agent.md"
    page.write_text(PLACE)
    (tmp_path / "results").mkdir()
    paths = teach_my_agent.write(folder, tmp_path)
    first = page.read_text()
    teach_my_agent.write(folder, tmp_path)
    assert page.read_text() == first and paths[1].stat().st_size > 10_000
    assert first.startswith("before\n") and first.endswith("<!-- end -->\nafter\n")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in first.splitlines()]
    rows = {row[0]: row[1:] for row in rows if row}
    assert rows["teacher"] == ["forgetting", "rugged", "mean ratio to random"]
    assert rows["random"] == ["0.0 ± 0.0", "30.0 ± 11.2", "1.00"]
    assert rows["alp-gmm-tma"] == ["**75.0 ± 17.7**", "**75.0 ± 17.7**", "2.50"]
    assert rows["plr"] == ["20.0 ± 20.9", "20.0 ± 20.9", "0.67"]


def test_ratios_are_of_means(folder):
    forgetting, rugged = teach_my_agent.read_challenges(folder)
    middle, low, high = rugged.ratio("alp-gmm-tma")
    assert middle == pytest.approx(2.5) and 1.5 < low < 2.5 < high < 4
    assert rugged.ratio("random")[0] == 1 and np.isnan(forgetting.ratio("plr")).all()
    assert rugged.p_value("alp-gmm-tma") == pytest.approx(4 / 252)


@pytest.mark.parametrize(
    "teacher, message", [(None, "holds none of the studies"), ("plr", "has no run of random")]
)
def test_what_cannot_be_compared_is_said(tmp_path, teacher, message):
    if teacher:
        made_up_run(tmp_path / "rugged" / "runs" / teacher, [1, 2])
    with pytest.raises(SystemExit, match=message):
        teach_my_agent.read_challenges(tmp_path)


def test_every_challenge_has_every_teacher():
    found = teach_my_agent_studies.studies(num_seeds=5, num_steps=1000)
    assert [*found, "diverse"] == [*teach_my_agent.CHALLENGES]
    assert teach_my_agent_studies.NAMES == tuple(teach_my_agent.TEACHERS)
    cells = {name: cells_of(study) for name, study in found.items()}
    for name, there in cells.items():
        assert len(there) == 7, name
        assert {cell.settings.test_set for cell in there} == {"2021"}
    of = {name: there[0].settings for name, there in cells.items()}
    assert of["mostly-unfeasible"].fields == {"env.max_stump_height": 9.0}
    assert of["mostly-trivial"].fields == {"env.min_stump_height": -3.0}
    assert of["forgetting"].fields == {"challenge.every": 350}, "7 of 20 million"
    assert of["rugged"].challenge == "rugged"


def test_students_are_diverse():
    """Each seed has sizes and a learning rate of its own, which its levels are made of."""
    drawn = jax.vmap(teach_my_agent_studies.draw_student)(jax.random.split(jax.random.key(0), 50))
    low, high = teach_my_agent_studies.FACTORS
    assert drawn["sizes"].shape == (50, 4)
    assert low <= drawn["sizes"].min() < 0.8 and 1.2 < drawn["sizes"].max() <= high
    low, high = teach_my_agent_studies.LEARNING_RATES
    assert (
        low <= drawn["learning_rate"].min() < 6e-4 < 1.7e-3 < drawn["learning_rate"].max() <= high
    )

    @quick_jit
    @jax.vmap
    def torques(factor):
        walker = teach_my_agent_studies.walker_of(jnp.full(4, factor))
        level = walker.generate(jax.random.key(0), jnp.array([1.0, 3.0]))
        return jnp.max(level.walker.torque)

    weak, strong = torques(jnp.array([0.8, 1.2]))
    assert strong / weak == pytest.approx(1.5)
