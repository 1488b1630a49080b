"""What ``nbgrader autograde`` meets in this course: it is asked to mark, and nothing of a submission is run.

``nbgrader_config.py`` names :class:`Refuse`, so that a click on Formgrader's button, or a command typed by
habit, does not run a class's notebooks unprotected, as the teacher.
"""

from __future__ import annotations

from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

MESSAGE = (
    "This course does not autograde: that would run a submission unprotected, as you. Mark in a sandbox "
    "instead: `python -m utils.grading --course COURSE --out COURSE/marks`. What Formgrader showed of this "
    "submission comes back with it."
)


class AutogradingRefused(RuntimeError):
    """``nbgrader autograde`` was called; the message names the command to use."""


class Refuse(NbGraderPreprocessor):
    """The first and only step of autograding."""

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> Any:
        """Refuse.

        Raises:
            AutogradingRefused: always.
        """
        raise AutogradingRefused(MESSAGE)
