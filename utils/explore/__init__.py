"""The explorers: each call shows a still picture first and the live explorer second, and returns None."""

from utils.explore.activation import activation
from utils.explore.broadcast import broadcast
from utils.explore.bugs import bugs
from utils.explore.capacity import capacity
from utils.explore.convolution import convolution
from utils.explore.draw_digit import draw_digit
from utils.explore.graph import graph
from utils.explore.initialization import initialization
from utils.explore.neuron import neuron
from utils.explore.outlier import outlier
from utils.explore.playground import playground
from utils.explore.predict import predict
from utils.explore.race import race
from utils.explore.replay import replay_perceptron
from utils.explore.shift_digit import shift_digit
from utils.explore.threshold import threshold

__all__ = [
    "activation",
    "broadcast",
    "bugs",
    "capacity",
    "convolution",
    "draw_digit",
    "graph",
    "initialization",
    "neuron",
    "outlier",
    "playground",
    "predict",
    "race",
    "replay_perceptron",
    "shift_digit",
    "threshold",
]
