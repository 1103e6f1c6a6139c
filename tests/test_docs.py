"""The README and the site: what they show runs, and pages say what they should."""

import pathlib
import re
import shlex
import subprocess
import sys

import formulas
import nbformat
import pytest
from docstrings import as_markdown
from nbclient import NotebookClient
from parts import KINDS
from toy_runs import with_kept_programs

from jaxcurriculum.cli.main import parse
from jaxcurriculum.cli.settings import parameters

ROOT = pathlib.Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text()
    for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
}
GENERATED = {path: text for kind in KINDS.values() for path, text in kind.pages()}
SHORTER = {  # what learns for minutes before readers, and needs but run here
    "README.md": {
        "rounds_per_evaluation=4000": "rounds_per_evaluation=40",
        "rounds_per_evaluation=5)": "rounds_per_evaluation=1)",
        "num_steps=5e5": "num_steps=3e4, figures=False",
    },
    "docs/get-started.md": {
        "rounds_per_evaluation=20_000": "rounds_per_evaluation=200",
        "rounds_per_evaluation=10)": "rounds_per_evaluation=1)",
        "num_steps=8e4": "num_steps=1e4",
    },
    "docs/run-a-sweep.md": {"rounds_per_evaluation=1000": "rounds_per_evaluation=50"},
    "docs/tour.ipynb": {
        "rounds_per_evaluation=500": "rounds_per_evaluation=50",
        "rounds_per_evaluation=10)": "rounds_per_evaluation=1)",
    },
}


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def shortened(page, program):
    """`program`, of which the same things run for a shorter time."""
    for long, short in SHORTER.get(page, {}).items():
        assert long in program, f"{page} has no {long}"
        program = program.replace(long, short)
    return program


def environment():
    """Of a program on its own, which finds the examples and the compiled programs of the tests, and
    compiles as they do.
    """
    return with_kept_programs() | {
        "PYTHONPATH": str(DOCS / "examples"),
        "NO_MKDOCS_2_WARNING": "1",
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(PAGES[page], "python")])
def test_the_programs_of_a_page_run_one_after_the_other(page, tmp_path):
    program = tmp_path / "page.py"
    program.write_text(shortened(page, "\n".join(blocks(PAGES[page], "python"))))
    ran = subprocess.run(
        [sys.executable, program], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


def test_there_are_programs():
    assert sum(len(blocks(text, "python")) for text in PAGES.values()) >= 12


def test_the_command_lines_are_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = ["corridor", "choice", "retry", "clone"]  # the functions that the pages tell of
    pathlib.Path("mine.py").write_text("\n".join(f"def {name}(*_): ..." for name in own))
    lines = [
        line
        for text in [*PAGES.values(), *GENERATED.values()]
        for block in blocks(text, "sh")
        for line in block.splitlines()
        if line.startswith("jaxcurriculum ")
    ]
    assert len(lines) > 40
    for line in lines:
        try:
            parse(shlex.split(line, comments=True)[1:])
        except BaseException as error:
            raise AssertionError(f"{line}: {error}") from error


@pytest.mark.slow
def test_the_tour_runs(tmp_path):
    text = shortened("docs/tour.ipynb", (DOCS / "tour.ipynb").read_text())
    notebook = nbformat.reads(text, as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, resources=resources).execute(env=environment())


def test_the_tour_is_kept_with_its_outputs():
    cells = nbformat.read(DOCS / "tour.ipynb", as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert sum(bool(cell.outputs) for cell in code) >= 5


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path):
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path]
    ran = subprocess.run(build, cwd=ROOT, env=environment(), capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    page = (tmp_path / "teachers" / "alp-gmm" / "index.html").read_text()
    assert "<math" in page and "$" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    outside = [
        link
        for path in tmp_path.rglob("*.html")
        for link in re.findall(
            r'<(?:script|link|img)[^>]*(?:src|href)="https?:[^"]*"', path.read_text()
        )
    ]
    assert not outside, "a page must read well without a network"


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_tells_all_settings_of_its_presets(kind):
    pages = dict(KINDS[kind].pages())
    for name, part in KINDS[kind].table.items():
        (page,) = [text for text in pages.values() if f"`{name}`: " in text]
        for parameter in parameters(part.config):
            assert f".{parameter.name}`".replace("_", "-") in page.replace("_", "-")
            assert parameter.meaning.replace("|", "\\|") in page


def test_teachers_and_worlds_have_pictures():
    for kind in ("Teachers", "Worlds"):
        for path, text in KINDS[kind].pages():
            picture = DOCS / "pictures" / path.replace(".md", ".png")
            assert f"](../pictures/{path.replace('.md', '.png')})" in text
            assert picture.stat().st_size < 40_000


@pytest.mark.parametrize(
    ("plain", "latex"),
    [
        ("r - r_nearest", r"r - r_{\text{nearest}}"),
        ("P_S + rate P_T", r"P_{S} + \text{rate} \, P_{T}"),
        ("Q[a] <- 1", r"Q_{a} \leftarrow 1"),
        ("E[x] <= sum_{j != i} r~[j]", r"E[x] \le \sum_{j \ne i} \, \tilde{r}_{j}"),
        ("sqrt(2 log(n + 1)) ~ theta", r"\sqrt{2 \, \log(n + 1)} \sim \theta"),
    ],
)
def test_plain_formulas_become_latex(plain, latex):
    assert formulas.to_latex(plain) == latex


def test_a_bracket_that_is_not_closed_is_refused():
    with pytest.raises(ValueError, match="bracket that is not closed: sqrt"):
        formulas.to_latex("sqrt(2 + n")


def test_a_rule_keeps_its_lines_and_labels():
    summary, rest = as_markdown(
        "One\nsentence.\n\n    do:  $x_i$ < `n`\n         again\n\nSource: A."
    )
    assert summary == "One sentence."
    assert rest.count("<p ") == 2 and "<b>do:</b>" in rest and "<math" in rest
    assert "&lt; <code>n</code>" in rest and rest.endswith("*Source*: A.")
