"""Networks for policy and value.

    feed_forward   separate tanh networks for policy and value
    recurrent      one body for both: features of the observation, layers of memory, two heads

The layers of memory are a file each: gated recurrent units (`gru`), long short-term memory
(`lstm`) and a linear state space (`s5`).
"""

from jaxcurriculum.learners.networks.feed_forward import feed_forward
from jaxcurriculum.learners.networks.gru import Gru
from jaxcurriculum.learners.networks.lstm import Lstm
from jaxcurriculum.learners.networks.parts import Network
from jaxcurriculum.learners.networks.recurrent import recurrent
from jaxcurriculum.learners.networks.s5 import S5

LAYERS = {"gru": Gru, "lstm": Lstm, "s5": S5}  # of memory, by the name that settings have for them

__all__ = ["LAYERS", "Gru", "Lstm", "Network", "S5", "feed_forward", "recurrent"]
