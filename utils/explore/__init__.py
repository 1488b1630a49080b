"""The explorers: each call shows a still picture first and the live explorer second, and returns None."""

from utils.explore.activation import activation
from utils.explore.neuron import neuron
from utils.explore.predict import predict
from utils.explore.replay import replay_perceptron

__all__ = ["activation", "neuron", "predict", "replay_perceptron"]
