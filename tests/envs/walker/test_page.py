"""The web page: what is sent to it, and, in headless Chromium, what it shows and how it plays."""

import base64
import io
import time

import numpy as np
import pytest
from browsing import open_page, wait_for
from episodes import HEXAGON, glide
from PIL import Image, ImageColor
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.select import Select

from jaxcurriculum.envs.walker import drawing, page

EPISODES = [
    glide(100, obstacles=[HEXAGON + [12.0, 3.0]]),
    glide(250, num_legs=4, solved=False, name="</script><b>pit & depth"),
]


def test_a_part_is_rebuilt_from_its_shape_and_poses():
    for polygon in glide(60, num_legs=4).walker:
        shape, (x, y, angle) = page.rigid_motion(polygon)[0], page.rigid_motion(polygon)[1].T
        cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
        along, across = shape[:, 0], shape[:, 1]
        turned = np.stack([cos * along - sin * across, sin * along + cos * across], -1)
        np.testing.assert_allclose(turned + np.stack([x, y], -1)[:, None], polygon, atol=1e-9)


def test_nine_long_episodes_take_less_than_5_mb():
    ground = np.stack([np.arange(0, 100, 0.4), np.full(250, 3.0)], 1)
    episodes = [
        glide(
            1000, num_legs=4, ground=ground, obstacles=[HEXAGON + [5.0 + i, 3.0] for i in range(90)]
        )
        for _ in range(9)
    ]
    assert len(page.page("nine", episodes)) < 5e6


def test_no_name_can_end_the_script_that_holds_the_episodes():
    assert page.page("</script>", EPISODES).count("</script") == 2


@pytest.fixture
def opened(browser, tmp_path):
    """The page of `EPISODES`, just loaded from a file."""
    path = tmp_path / "walker.html"
    path.write_text(page.page("two walkers", EPISODES), encoding="utf-8")
    open_page(browser, path, 1000, 800)
    return browser


def pictures(browser):
    """What every canvas shows, as the text of a PNG."""
    return browser.execute_script(
        "return [...document.querySelectorAll('canvas')].map(canvas => canvas.toDataURL())"
    )


def clock(browser):
    return float(browser.find_element("id", "clock").text.split(" / ")[0])


def scrub(browser, seconds):
    script = (
        "const slider = document.getElementById('time'); slider.value = arguments[0];"
        " slider.dispatchEvent(new Event('input'))"
    )
    browser.execute_script(script, seconds)


@pytest.mark.slow
def test_the_page_loads_without_a_message_or_a_network(opened):
    assert opened.title == "two walkers" and len(pictures(opened)) == 2
    assert opened.get_log("browser") == []
    assert opened.execute_script("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.slow
def test_play_moves_every_picture_and_pause_holds_them(opened):
    play, before = opened.find_element("id", "play"), pictures(opened)
    play.click()
    wait_for(lambda: clock(opened) > 0.3, "the clock runs")
    assert play.text == "Pause" and all(now != then for now, then in zip(pictures(opened), before))
    play.click()
    held = clock(opened), pictures(opened)
    time.sleep(0.3)
    assert play.text == "Play" and (clock(opened), pictures(opened)) == held
    assert opened.get_log("browser") == []


@pytest.mark.slow
def test_the_space_key_plays_and_pauses_once(opened):
    for element, text in ((None, "Pause"), ("time", "Play"), ("play", "Pause")):
        if element:
            opened.execute_script("document.getElementById(arguments[0]).focus()", element)
        ActionChains(opened).send_keys(" ").perform()
        assert opened.find_element("id", "play").text == text


@pytest.mark.slow
def test_scrubbing_to_the_end_shows_the_end(opened):
    scrub(opened, 10)
    assert opened.find_element("id", "clock").text == "10.0 / 10.0 s"
    texts = [figure.text for figure in opened.find_elements("tag name", "figure")]
    assert (
        "solved in 4.0 s" in texts[0]
        and "100 (100 at the end)" in texts[0]
        and "stump height 1.50 steps" in " ".join(texts[0].split())
    )
    assert (
        "not solved in 10.0 s" in texts[1]
        and "250 (250 at the end)" in texts[1]
        and "</script><b>pit & depth" in texts[1]
    )
    scrub(opened, 2)
    assert "50 (100 at the end)" in opened.find_element("tag name", "figure").text


@pytest.mark.slow
def test_playing_ends_at_the_end_and_begins_again(opened):
    play = opened.find_element("id", "play")
    scrub(opened, 9.8)
    play.click()
    wait_for(lambda: play.text == "Play", "it stops")
    assert clock(opened) == 10.0
    play.click()
    wait_for(lambda: 0 < clock(opened) < 9, "it starts anew")


@pytest.mark.slow
def test_speed_is_what_was_chosen(opened):
    passed = []
    for speed in ("0.25", "8"):
        Select(opened.find_element("id", "speed")).select_by_value(speed)
        scrub(opened, 0)
        opened.find_element("id", "play").click()
        time.sleep(0.8)
        opened.find_element("id", "play").click()
        passed.append(clock(opened))
    assert 0 < passed[0] < 1 and passed[1] > 4 * passed[0]


@pytest.mark.slow
def test_the_lidar_is_shown_on_demand(opened):
    lidar, before = opened.find_element("id", "lidar"), pictures(opened)
    lidar.click()
    assert all(now != then for now, then in zip(pictures(opened), before))
    lidar.click()
    assert pictures(opened) == before


@pytest.mark.slow
def test_a_canvas_shows_what_a_still_shows(opened):
    opened.find_element("id", "lidar").click()
    scrub(opened, 2)
    for episode, url in zip(EPISODES, pictures(opened)):
        canvas = (
            Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
            .convert("RGB")
            .resize((drawing.WIDTH, drawing.HEIGHT))
        )
        still = drawing.draw_frame(episode, 49)  # 2 s after the start
        for colour in ("hull", "near_leg", "earth"):
            masks = [
                np.abs(
                    np.asarray(picture).astype(int) - ImageColor.getrgb(drawing.COLOURS[colour])
                ).sum(-1)
                < 40
                for picture in (canvas, still)
            ]
            (x, y), (other_x, other_y) = [np.argwhere(mask)[:, ::-1].mean(0) for mask in masks]
            assert abs(x - other_x) < 3 and abs(y - other_y) < 3, colour
            assert abs(masks[0].sum() / masks[1].sum() - 1) < 0.25, (
                colour
            )  # outlines are not equally thick


@pytest.mark.slow
def test_the_dark_is_respected(opened):
    before = pictures(opened)
    opened.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    wait_for(
        lambda: all(now != then for now, then in zip(pictures(opened), before)),
        "the pictures turn dark",
    )
    opened.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
