"""nbgrader for students on the hub: which course, and where exercises are handed out and in."""

import os
from pathlib import Path

c = get_config()  # noqa: F821  (nbgrader hands it over)

c.CourseDirectory.course_id = os.environ["N2T_HUB_COURSE"]
c.Exchange.root = os.environ["N2T_HUB_EXCHANGE"]
c.Exchange.assignment_dir = str(Path.home() / "lessons")  # a set links to ../NN_stem.ipynb, its lesson
