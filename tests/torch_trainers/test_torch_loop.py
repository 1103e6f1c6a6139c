"""The example in plain PyTorch learns, and its teacher hears of every throw."""

import pathlib
import sys

import pytest

pytest.importorskip("torch")
sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "docs/examples"))


def test_it_learns_to_hit():
    import torch_loop

    hits, teacher = torch_loop.train(400)
    assert hits[0] < 0.1 and max(hits[-4:]) > 0.4
    report = teacher.report()
    assert report.num_episodes == 400 * 64 and report.num_fits > 50
    assert not teacher.open_tickets()
