"""nbgrader for the teacher on the hub: the course folder, and all that students have, too."""

from pathlib import Path

c = get_config()  # noqa: F821  (nbgrader hands it over)

load_subconfig("nbgrader_config.py", path=str(Path(__file__).parents[3]))  # noqa: F821  (the course's own)
load_subconfig("nbgrader_config.py", path=str(Path(__file__).parents[1] / "student"))  # noqa: F821
c.CourseDirectory.root = str(Path.home() / "course")
