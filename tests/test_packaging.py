"""The shape of the project: packages, layers, guards, doctests, the tools' own configuration."""

import ast
import doctest
import importlib
import pathlib
import pkgutil
import subprocess
import sys
import tomllib

import jax
import pytest

import jaxcurriculum

ROOT = pathlib.Path(__file__).parents[1]
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
TREES = {"jaxcurriculum": "jaxcurriculum", "jaxcurriculum.envs": "envs"}


def sources():
    """(module name, path) of every source file, by the names under which they are imported."""
    for package, folder in TREES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            yield ".".join([package, *(part for part in parts if part != "__init__")]), path


MODULES = dict(sources())


def imports(path):
    """Every module that a file imports, with the names imported from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def test_packages_list_names_every_folder():
    folders = {module for module, path in MODULES.items() if path.name == "__init__.py"}
    assert set(CONFIG["tool"]["setuptools"]["packages"]) == folders


def test_the_short_name_is_refused():
    result = subprocess.run(
        [sys.executable, "-c", "import envs"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode != 0 and "jaxcurriculum.envs" in result.stderr


CORE = (
    *("configs", "editors", "fields", "roles", "records", "spaces", "tree", "viewer"),
    *("loop", "checks", "suitability", "device", "rollout"),
)
ROLES = ("teachers", "students", "learners", "challenges")
LAYERS = {  # what each part may import of the others, beside itself
    **dict.fromkeys(CORE, CORE),
    "learners": CORE,
    "students": (*CORE, "learners"),
    "transfer": CORE,
    "teachers": (*CORE, "learners", "transfer"),
    "challenges": (*CORE, *ROLES),
    "envs": CORE,
    "search": CORE,
    "interop": (*CORE, "report"),
    "testing": (*CORE, *ROLES),
    "runs": (*CORE, "report"),
    "report": (*CORE, "runs"),
    "cli": (*CORE, *ROLES, "envs", "runs", "report", "study", "testing"),
    "study": (*CORE, *ROLES, "runs", "cli"),
}


def test_layers():
    for module, path in MODULES.items():
        _, *inside = module.split(".")
        if not inside or inside[0] == "__main__":
            continue
        for name, _ in imports(path):
            top, *other = name.split(".")
            if top == "jaxcurriculum" and other and other[0] in LAYERS and other[0] != inside[0]:
                assert other[0] in LAYERS[inside[0]], f"{module} imports {name}"


def test_imports_are_absolute_and_by_the_long_names():
    for module, path in MODULES.items():
        for name, node in imports(path):
            assert getattr(node, "level", 0) == 0, f"{module} has a relative import"
            assert name.split(".")[0] not in ("envs", "experiments"), f"{module} imports {name}"


@pytest.mark.parametrize("module", [name for name in MODULES if not name.endswith("__main__")])
def test_doctests(module):
    with jax.numpy_rank_promotion("allow"):
        result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0


def test_some_doctests_exist():
    finder = doctest.DocTestFinder()
    examples = sum(
        len(test.examples)
        for name in MODULES
        if "__main__" not in name
        for test in finder.find(importlib.import_module(name))
    )
    assert examples >= 20, "a walk that finds no doctest checks nothing"


def test_every_module_is_found_by_an_import_walk():
    found = {
        module.name for module in pkgutil.walk_packages(jaxcurriculum.__path__, "jaxcurriculum.")
    }
    missing = {
        name
        for name in MODULES
        if name.startswith("jaxcurriculum.students") or name.startswith("jaxcurriculum.teachers")
    } - found
    assert not missing


def test_ruff_checks_what_it_should():
    planted = "from jaxcurriculum import *\nfrom . import envs\nimport envs\n"
    command = [sys.executable, "-m", "ruff", "check", "--stdin-filename", "jaxcurriculum/x.py", "-"]
    result = subprocess.run(command, cwd=ROOT, input=planted, capture_output=True, text=True)
    assert "TID252" in result.stdout and "TID251" in result.stdout
    clean = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert clean.returncode == 0, clean.stdout


def test_type_links_lead_to_the_packages():
    for name, target in {"__init__.py": "jaxcurriculum/__init__.py", "envs": "envs"}.items():
        assert (ROOT / "tests/typelinks/jaxcurriculum" / name).resolve() == ROOT / target
