"""What is kept of the study of 2019, and what its tables say."""

import numpy as np
import pytest
import teacher_algorithms
from keep_results import keep
from made_up_runs import made_up_run, with_curriculum

from jaxcurriculum import runs
from jaxcurriculum.report.plots import draw

PLACE = "<!-- written by teacher_algorithms.py -->\n<!-- end -->\n"
TASKS = [[x, y] for x in (0.1, 0.4) for y in (0.2, 0.3, 0.6, 0.8, 0.9)]
STUDY = {"random": [3, 2, 1, 2], "alp-gmm": [6, 5, 5, 6], "oracle": [2, 2, 1, 3]}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three teachers with one world, one of them also with higher stumps."""
    folder = tmp_path_factory.mktemp("study")
    for teacher, solved in STUDY.items():
        made_up_run(folder / "runs" / teacher, solved, TASKS, env="stump-tracks")
    higher = {"env": "stump-tracks", "fields": {}, "teacher": "random"}
    run = made_up_run(folder / "runs" / "higher", [0, 1], TASKS, **higher)
    text = (run.path / "config.json").read_text()
    high = text.rstrip().removesuffix("}") + ', "env.max_stump_height": 4.0}'
    (run.path / "config.json").write_text(high)
    for run in (folder / "runs").iterdir():
        meta = run / "meta.json"
        meta.write_text(meta.read_text().replace("{", '{"git_revision": "0123456789ab",', 1))
    return folder


def written(folders, out):
    (out / "results").mkdir(parents=True)
    (out / "teacher_algorithms.md").write_text(PLACE)
    paths = teacher_algorithms.write(folders, out)
    return paths, paths[0].read_text()


def test_the_page_has_a_section_for_each_world(study, tmp_path):
    paths, text = written([study], tmp_path)
    assert [path.stem for path in paths[1:]] == [
        "teacher_algorithms_stump_tracks",
        "teacher_algorithms_stump_tracks_max_stump_height_4_0",
    ]
    default, higher = text.split("### ")[1:]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in default.splitlines()]
    rows = {row[0]: row[1:] for row in rows if row}
    assert [*rows] == ["teacher", "---", "random", "oracle", "alp-gmm"]
    assert rows["alp-gmm"][:3] == ["55.0 ± 5.8", "60, 50, 50, 60", "55.0"]
    assert rows["alp-gmm"][4].endswith(", 0.029") and rows["alp-gmm"][5:] == [
        "",
        "15",
        "39.6 ± 9.6",
    ]
    assert rows["random"][4] == "" and rows["random"][5] == rows["alp-gmm"][4]
    assert "published" not in higher and "revision 01234567" in higher
    assert "After 200 steps a seed" in default and "0.1 hours of a core" in default


def test_what_is_kept_says_the_same(study, tmp_path):
    for run in (study / "runs").iterdir():
        with_curriculum(runs.Run(run))
    for _ in range(2):  # again in the place of what is there
        keep(study, tmp_path, num_seeds=0)
    small = tmp_path / "tables" / study.name
    whole, kept = (
        written([folder], tmp_path / name)[1] for name, folder in (("a", study), ("b", small))
    )
    assert kept == whole
    run = runs.Run(small / "alp-gmm")
    assert len(run.episodes()) == 38 and run.episodes()["seed"].unique().to_list() == [0]
    assert [path.stem for path in draw(run)] == ["learning_curve", "curriculum", "mastery_map"]
    np.testing.assert_array_equal(run.mastered()[1][-1], [60, 50, 50, 60])
    assert not {"command", "machine"} & set(run.meta)
    assert run.meta["thinned"] == {"seeds": 1, "every": 8}


def test_a_folder_of_studies_is_kept_as_one(tmp_path):
    both = tmp_path / "both"
    for name in ("first", "second"):
        run = made_up_run(both / name / "runs" / "random", [1, 2])
        with_curriculum(run)
    keep(both, tmp_path / "results", num_seeds=0)
    kept = sorted(path.parent for path in tmp_path.glob("results/tables/both/*/*/config.json"))
    assert [path.parent.name for path in kept] == ["first", "second"]


def test_other_teachers_are_named(tmp_path):
    made_up_run(tmp_path / "plr", [1, 2])
    with pytest.raises(SystemExit, match="plr is none of the paper's teachers, random, oracle"):
        teacher_algorithms.write([tmp_path], tmp_path)


def test_a_page_without_a_place_for_it_is_named(study, tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "teacher_algorithms.md").write_text("# Nothing\n")
    with pytest.raises(SystemExit, match="teacher_algorithms.md has no lines <!-- written by"):
        teacher_algorithms.write([study / "runs" / "higher"], tmp_path)
