"""Exercises that answer at once: ``check`` your work, ask for a ``hint``, see your ``progress``.

>>> from utils.checks import check, hint, progress
>>> check("01.neuron", neuron)      # passed, or the first case that fails and why
>>> hint("01.neuron")               # a nudge; again: a plan; again: the solution explained
>>> progress()                      # what is passed over the whole course
"""

from .engine import check
from .hints import hint
from .record import progress
from .result import Result

__all__ = ["Result", "check", "hint", "progress"]
