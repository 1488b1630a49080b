"""The explorers: each call shows a still picture first and the live explorer second, and returns None."""

from utils.explore.neuron import neuron

__all__ = ["neuron"]
