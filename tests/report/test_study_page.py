"""The page of a report in headless Chromium: it loads, is pointed at, slides, plays."""

import importlib.resources
from types import SimpleNamespace

import numpy as np
import pytest
from browsing import open_page, wait_for
from made_up_runs import made_up_run, with_curriculum
from rich.console import Console
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.select import Select

from jaxcurriculum import runs
from jaxcurriculum.report import study_report
from jaxcurriculum.report.content import opening
from jaxcurriculum.report.study_page import SCRIPTS

TASKS = np.stack([np.linspace(0.1, 0.9, 5)] * 3, axis=1)


def boxes(num_evaluations, num_seeds):
    """A box that grows with the evaluations."""
    low = np.full((num_evaluations, num_seeds, 3), 0.4)
    grown = 0.1 * np.arange(1, num_evaluations + 1)[:, None, None]
    return {"teacher.low": low, "teacher.high": low + grown}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page of two conditions with two seeds each, on three axes."""
    folder = tmp_path_factory.mktemp("study")
    for name, solved, reports in (("random", [1, 2], {}), ("adr", [3, 4], boxes(4, 2))):
        run = made_up_run(folder / "runs" / name, solved, tasks=TASKS, evaluations=4)
        with_curriculum(run, **reports)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study_report, "write_figures", lambda *_: [])
        return runs.report(folder, console=Console(quiet=True))[0]


@pytest.fixture
def opened(browser, page):
    """The page, just loaded; at the end nothing may stand in the console."""
    open_page(browser, page, 1100, 900)
    yield browser
    assert browser.get_log("browser") == []


def picture(browser, name):
    """What a canvas shows, as the text of a PNG."""
    return browser.execute_script("return document.getElementById(arguments[0]).toDataURL()", name)


def slide(browser, thousandths):
    script = (
        "const slider = document.getElementById('film-time'); slider.value = arguments[0];"
        " slider.dispatchEvent(new Event('input'))"
    )
    browser.execute_script(script, thousandths)


def choose(browser, name, text):
    Select(browser.find_element("id", name)).select_by_visible_text(text)


def test_every_file_of_the_page_is_used():
    folder = importlib.resources.files("jaxcurriculum.report") / "web"
    assert {file.name for file in folder.iterdir()} == {*SCRIPTS, "page.html", "page.css"}


@pytest.mark.slow
def test_the_page_loads_without_a_network(opened):
    summary = opened.find_element("id", "summary").text
    assert summary == "toy-grid: 2 conditions, 4 seeds, compared after 400 episodes of each seed"
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert len(opened.find_elements("css selector", "section:first-of-type tbody tr")) == 2
    blank = opened.execute_script(
        "return [...document.querySelectorAll('canvas')].filter(canvas => canvas.clientHeight &&"
        " !canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data"
        ".some(value => value)).map(canvas => canvas.id)"
    )
    assert blank == []


@pytest.mark.slow
def test_a_chart_tells_its_values_and_hides_a_condition(opened):
    canvas, before = opened.find_element("id", "curves"), picture(opened, "curves")
    ActionChains(opened).move_to_element_with_offset(canvas, 500, 0).perform()
    said = opened.find_element("id", "curve-values").text
    assert "random: 30 (20 to 40)" in said and "adr: 70 (60 to 80)" in said
    opened.find_elements("css selector", "#legend input")[1].click()
    assert picture(opened, "curves") != before
    ActionChains(opened).move_to_element_with_offset(canvas, 0, 0).perform()
    assert "adr" not in opened.find_element("id", "curve-values").text


@pytest.mark.slow
def test_sliding_moves_tasks_boxes_and_mastery(opened):
    choose(opened, "film-condition", "adr")
    names = ("film", "mastery", "parallel")
    end = [picture(opened, name) for name in names]
    slide(opened, 300)
    assert opened.find_element("id", "film-clock").text == "120 episodes"
    assert all(now != then for now, then in zip([picture(opened, n) for n in names], end))
    assert "0.0 % are mastered, mean of 2 seeds" in opened.find_element("id", "mastery-hint").text
    assert "the teacher's regions" in opened.find_element("id", "film-hint").text
    slide(opened, 1000)
    assert "70.0 % are mastered" in opened.find_element("id", "mastery-hint").text
    assert [picture(opened, name) for name in names] == end


@pytest.mark.slow
def test_other_axes_and_colours_are_shown(opened):
    before = picture(opened, "film")
    choose(opened, "film-y", "x2 (m)")
    other = picture(opened, "film")
    choose(opened, "film-y", "return")
    third = picture(opened, "film")
    choose(opened, "film-colour", "learning progress")
    assert len({before, other, third, picture(opened, "film")}) == 4


@pytest.mark.slow
def test_the_film_plays_and_ends(opened):
    play = opened.find_element("id", "film-play")
    slide(opened, 900)
    choose(opened, "film-speed", "4×")
    play.click()
    assert play.text == "Pause"
    wait_for(lambda: play.text == "Play", "it stops")
    assert opened.find_element("id", "film-clock").text == "400 episodes"


@pytest.mark.slow
def test_the_table_fits_a_screen_and_the_film_opens_where_a_teacher_has_a_picture(opened):
    size = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    table = "const box = document.querySelector('.wide');"
    assert opened.execute_script(f"{table} return box.scrollWidth - box.clientWidth") <= 0
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    choice = Select(opened.find_element("id", "film-condition"))
    assert choice.first_selected_option.text == "adr"


@pytest.mark.slow
def test_a_phone_needs_no_scrolling_to_the_side(opened):
    size = {"width": 375, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    opened.refresh()
    assert opened.execute_script("return document.documentElement.scrollWidth") <= 375
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_there_are_tasks_to_see_between_two_rounds(opened):
    slide(opened, 620)
    told = opened.find_element("id", "film-hint").text
    assert "of the latest round" in told and not told.startswith("0 tasks")


@pytest.mark.parametrize(
    ("films", "best", "expected"),
    [([], [], None), ([None, None], [30, 70], 1), ([None, {}, {}], [70, 10, 20], 2)],
)
def test_the_film_of_the_best_teacher_with_a_picture_comes_first(films, best, expected):
    known = [{"condition": place, "belief": belief} for place, belief in enumerate(films)]
    rows = [SimpleNamespace(mastered_iqm=iqm) for iqm in best]
    assert opening(known, rows) == expected


def test_a_small_maze_is_shown_without_the_walls_that_fill_it_up(opened):
    cropped = "return cropped(arguments[0])"
    assert opened.execute_script(cropped, ".G##/.>##/####/####") == [".G", ".>"]
    assert opened.execute_script(cropped, ">#G/###/...") == [">#G", "###", "..."]
    assert opened.execute_script(cropped, "##/##") == ["##", "##"]


def test_the_bars_of_a_bandit_say_which_task_they_are(tmp_path, browser, monkeypatch):
    monkeypatch.setattr(study_report, "write_figures", lambda *_: [])
    run = made_up_run(tmp_path / "tscl", [1])
    probabilities = np.tile([[[0.2, 0.8]]], (2, 1, 1))
    with_curriculum(run, **{"teacher.probabilities": probabilities})
    open_page(browser, runs.report(tmp_path, console=Console(quiet=True))[0], 1100, 900)
    value = browser.find_element("id", "bar-value")
    assert value.text.startswith("Likeliest, at 0.8: choice 1, which gave x0 0.")
    bars = browser.find_element("id", "bars")
    ActionChains(browser).move_to_element_with_offset(bars, -300, 0).perform()
    assert value.text == "Here, at 0.2: choice 0, which was never taken"
    assert browser.get_log("browser") == []


def test_the_frame_of_a_walk_is_as_high_as_its_page(tmp_path, browser, monkeypatch):
    walks = [{"name": "one", "page": "<!doctype html><div style='height: 1500px'></div>"}]
    monkeypatch.setattr(study_report, "walks_of", lambda _: (walks, []))
    monkeypatch.setattr(study_report, "write_figures", lambda *_: [])
    with_curriculum(made_up_run(tmp_path / "random", [1]))
    console = Console(quiet=True)
    open_page(browser, runs.report(tmp_path, walks=True, console=console)[0], 400, 900)
    frame = browser.find_element("id", "walk")
    browser.execute_script("arguments[0].scrollIntoView()", frame)
    wait_for(lambda: 1500 <= frame.size["height"] <= 1550, "it is as high")
    assert browser.get_log("browser") == []
