"""How all figures look."""

from __future__ import annotations

from typing import Any

import matplotlib

# Okabe and Ito's, told apart by colour-blind readers
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
BLUE, ORANGE = COLOURS[:2]
LINES = ("-", "--", "-.", ":")
# Whatever a person's matplotlibrc says, figures look alike and need nothing, as LaTeX.
DEFAULTS = {name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"}
STYLE: dict[Any, Any] = DEFAULTS | {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 11,
    "axes.titlesize": 11,
    "savefig.dpi": 130,
}
