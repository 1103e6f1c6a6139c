"""What several tests of runs share."""

import pytest

from jaxcurriculum.experiments import plots


@pytest.fixture
def no_figures(monkeypatch):
    """Runs end with their table: figures take longer than the training of a small run."""
    monkeypatch.setattr(plots, "draw", lambda run: [])
