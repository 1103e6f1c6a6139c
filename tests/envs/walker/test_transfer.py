"""Policies trained here on BipedalWalker-v3 ground run unchanged in gymnasium's
BipedalWalker-v3 (`references/transfer.py`).
"""

import pytest

from jaxcurriculum.testing.compiling import quick_jit
from references.transfer import load, returns_here, returns_there

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("body", ["default", "short"])
def test_a_policy_trained_here_walks_in_gymnasium(body):
    policy, num = load(body), 40
    here = returns_here(body, policy, num=num, compiler=quick_jit)
    there = returns_there(body, policy, num=num)
    assert there.mean() >= 280 and abs(there.mean() - here.mean()) <= 0.05 * here.mean()


def test_a_policy_not_trained_for_hardcore_fails_there_as_it_does_here():
    policy, num = load("default"), 40
    here = returns_here("default", policy, hardcore=True, num=num, compiler=quick_jit)
    there = returns_there("default", policy, hardcore=True, num=num)
    error = ((here.var() + there.var()) / num) ** 0.5
    assert here.mean() < 0 and abs(there.mean() - here.mean()) < 3 * error
