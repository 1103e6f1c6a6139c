"""A run whose way back to its experiment is damaged says so."""

import pytest

from jaxcurriculum import runs
from jaxcurriculum.runs.files import write_json
from jaxcurriculum.runs.store import AXES, CONFIG, META


@pytest.mark.parametrize(
    "rebuild", ["nowhere:rebuild", "json:rebuild", "json:__name__", "json", ":", 3, [1], ""]
)
def test_what_made_a_run_must_be_a_function(tmp_path, rebuild):
    write_json(tmp_path / "config.json", dict.fromkeys(CONFIG))
    damaged = {"axes": dict.fromkeys(AXES), "rebuild": rebuild}
    write_json(tmp_path / "meta.json", dict.fromkeys(META) | damaged)
    message = "meta.json is damaged: its rebuild must name a function as module:function, got "
    with pytest.raises(runs.RunError, match=f"{message}{rebuild!r}".replace("[", r"\[")):
        runs.load_policy(tmp_path)
