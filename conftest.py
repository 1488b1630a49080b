"""What holds for every test here, notebooks run by nbval included.

nbval alone lets some things through that a learner would see: text on stderr in a cell whose output is not
compared, and a lesson that was stored without having been run, of which there is nothing to compare.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

# Tests, and the kernels they start, must not write into the learner's own record of passed exercises nor read
# the user's IPython settings, and they run on the device that every machine has.
_private = tempfile.TemporaryDirectory(prefix="n2t-tests-")
os.environ["N2T_PROGRESS"] = os.path.join(_private.name, "progress.json")
os.environ["IPYTHONDIR"] = os.path.join(_private.name, "ipython")
os.environ.setdefault("N2T_DEVICE", "cpu")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Hold notebook cells to the two rules that nbval does not have."""
    result = yield
    if type(item).__name__ == "IPyNbCell":
        compared = item.options["check"]
        if compared and item.cell.execution_count is None:
            item.raise_cell_error("The cell is stored without having been run: there is nothing to compare.")
        written = [out.text for out in item.test_outputs or [] if out.get("name") == "stderr"]
        if written:
            item.raise_cell_error("The cell wrote to stderr.", "".join(written))
    return result
