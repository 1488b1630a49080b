"""nbgrader's configuration for this course: copy it into the course folder, beside source/ and submitted/.

docs/teachers_guide.md walks through it. Marking itself is not nbgrader's here: ``nbgrader autograde`` runs a
submission unprotected, so ``python -m utils.grading`` does it and writes into the same gradebook.
"""

c = get_config()  # noqa: F821  (nbgrader hands it over)

c.CourseDirectory.course_id = "neurons-to-transformers"

# The released notebooks are made by this course's build, without solutions in them. What is left out here
# would look for solutions between markers, and would empty every cell in which it finds none.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.IncludeHeaderFooter",
    "nbgrader.preprocessors.LockCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# "Autograde" in Formgrader and `nbgrader autograde` say how to mark, and run nothing.
c.Autograde.sanitize_preprocessors = ["utils.grading.refuse.Refuse"]

# What students wrote is shown in the teacher's browser. The grader leaves nothing in it that could run there.
c.HTMLExporter.sanitize_html = True

# Points off for what comes late: "none", "zero", or a plugin of your own (see nbgrader's documentation).
c.LateSubmissionPlugin.penalty_method = "none"
