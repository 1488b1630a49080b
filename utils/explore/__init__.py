"""The explorers: each call shows a still picture first and the live explorer second, and returns None."""

from utils.explore.activation import activation
from utils.explore.attention import attention
from utils.explore.broadcast import broadcast
from utils.explore.bugs import bugs
from utils.explore.capacity import capacity
from utils.explore.contest import contest
from utils.explore.convolution import convolution
from utils.explore.draw_digit import draw_digit
from utils.explore.gates import gates
from utils.explore.graph import graph
from utils.explore.initialization import initialization
from utils.explore.latent import latent
from utils.explore.neuron import neuron
from utils.explore.outlier import outlier
from utils.explore.playground import playground
from utils.explore.predict import predict
from utils.explore.pronounce import pronounce
from utils.explore.race import race
from utils.explore.replay import replay_perceptron
from utils.explore.sampling import sampling
from utils.explore.shift_digit import shift_digit
from utils.explore.threshold import threshold

__all__ = [
    "activation",
    "attention",
    "broadcast",
    "bugs",
    "capacity",
    "contest",
    "convolution",
    "draw_digit",
    "gates",
    "graph",
    "initialization",
    "latent",
    "neuron",
    "outlier",
    "playground",
    "predict",
    "pronounce",
    "race",
    "replay_perceptron",
    "sampling",
    "shift_digit",
    "threshold",
]
