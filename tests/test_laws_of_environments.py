"""The laws over the table of environments: adding one adds a row."""

import functools

import pytest

from jaxcurriculum import envs
from jaxcurriculum.testing import laws, probes
from jaxcurriculum.testing.trials import EnvironmentTrial

HOPPER = envs.Body(
    name="hopper",
    hull=((-0.5, -0.2), (0.5, -0.2), (0.4, 0.2), (-0.5, 0.2)),
    hips=((0.1, -0.2),),
    link_lengths=(0.9, 0.7),
    link_widths=(0.3, 0.2),
)
ENVIRONMENTS = {
    "counting": probes.counting,
    "target": probes.target,
    "remember": probes.remember,
    "cart-pole": envs.cart_pole,
    "gymnax": envs.gymnax,
    "gymnax, images and whole numbers": lambda: envs.gymnax(
        "SpaceInvaders-MinAtar", {"shot_cool_down": (3.0, 10.0), "enemy_move_interval": (6.0, 20.0)}
    ),
    "brax": lambda: envs.brax("reacher", backend="spring"),
    "pendulum": envs.pendulum,
    "acrobot": envs.acrobot,
    "mountain-car": envs.mountain_car,
    "continuous-mountain-car": envs.continuous_mountain_car,
    "point-mass": envs.point_mass,
    "ring-maze": envs.ring_maze,
    "maze": envs.maze,
    "repeat-previous": envs.repeat_previous,
    "trial, with previous": lambda: envs.with_previous(envs.trial(probes.remember(), 2)),
    "stump-tracks": envs.stump_tracks,
    "stump-tracks, wide and rotated": lambda: envs.stump_tracks(
        "short", stump_width=(1.0, 2.0), stump_rotation=(0.0, 1.0)
    ),
    "stump-tracks, body of one's own": lambda: envs.stump_tracks(HOPPER),
    "hexagon-tracks, quadruped": lambda: envs.hexagon_tracks("quadruped"),
    "stump-sequences, sizes of the body": lambda: envs.stump_sequences(
        "long", sizes={"upper_length": (0.5, 1.5), "hull_length": (0.8, 1.2)}
    ),
    "bipedal-walker, gymnasium's flags": lambda: envs.bipedal_walker(contact_flag="box2d"),
    "bipedal-walker-hardcore": lambda: envs.bipedal_walker(hardcore=True),
    "obstacle-tracks": envs.obstacle_tracks,
    "obstacle-tracks, five axes": lambda: envs.obstacle_tracks(stairs=False),
}


def is_slow(name, law):
    starts_are_dear = law == laws.step_never_resets and name in TRACKS
    return name not in QUICK or starts_are_dear


# The laws share the programs of an environment: they run one after the other.
@functools.lru_cache(maxsize=1)
def environment_trial(name):
    return EnvironmentTrial(ENVIRONMENTS[name]())


# All tracks share one engine, which takes a while to compile: those of `IN_EVERY_WAY` stand for
# every kind of ground, obstacle, flag and body, and those of `QUICK` are tested by `make test`,
# too.
IN_EVERY_WAY = (
    "counting",
    "target",
    "remember",
    "cart-pole",
    "point-mass",
    "maze",
    "repeat-previous",
    "trial, with previous",
    "stump-tracks",
    "bipedal-walker, gymnasium's flags",
    "stump-sequences, sizes of the body",
)
TRACKS = ("stump-tracks", "stump-sequences, sizes of the body")
MEMORY = ("remember", "repeat-previous", "trial, with previous")
QUICK = ("counting", "target", "cart-pole", "gymnax", "point-mass", "maze", *MEMORY, *TRACKS)


@pytest.mark.parametrize(
    ("name", "law"),
    [
        pytest.param(name, law, marks=pytest.mark.slow if is_slow(name, law) else ())
        for name in ENVIRONMENTS
        for law in (
            laws.keeps_its_contract,
            laws.the_same_level_replays_the_same_episode,
            laws.mapped_equals_single,
            laws.step_never_resets,
        )
        if name in IN_EVERY_WAY or law == laws.keeps_its_contract
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_environment(name, law):
    law(environment_trial(name))
