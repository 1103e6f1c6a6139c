"""The base install has neither brax nor gymnax: their adapters import them where they are used."""

import ast
import pathlib

import jaxcurriculum.envs.adapters as adapters

PACKAGES = {"brax", "gymnax", "mujoco"}


def test_no_module_imports_an_extra_at_its_top():
    (folder,) = adapters.__path__
    paths = sorted(pathlib.Path(folder).glob("*.py"))
    assert len(paths) >= 5
    for path in paths:
        for node in ast.parse(path.read_text()).body:
            names = [alias.name for alias in getattr(node, "names", [])]
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else names
            assert not PACKAGES & {name.partition(".")[0] for name in names}, path.name
