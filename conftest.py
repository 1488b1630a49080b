"""What holds for every test here, notebooks run by nbval included.

nbval alone lets some things through that a learner would see: text on stderr in a cell whose output is not
compared, and a lesson stored without having been run, of which there is nothing to compare. And in one way it
runs cells unlike JupyterLab: without history, so that a semicolon at the end does not keep a cell quiet.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

# Tests, and the kernels they start, must not write into the learner's own record of passed exercises nor read
# the user's IPython settings, and they run on the device that every machine has.
_private = tempfile.TemporaryDirectory(prefix="n2t-tests-")
os.environ["N2T_PROGRESS"] = os.path.join(_private.name, "progress.json")
os.environ["IPYTHONDIR"] = os.path.join(_private.name, "ipython")
os.environ.setdefault("N2T_DEVICE", "cpu")
# Several of them run at once: threads that wait must not keep the others' cores busy.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Run notebook cells as JupyterLab does, and hold them to the two rules that nbval does not have."""
    if type(item).__name__ != "IPyNbCell":
        return (yield)
    keep_history(item.parent.kernel.kc)
    result = yield
    if item.options["check"] and item.cell.execution_count is None:
        item.raise_cell_error("The cell is stored without having been run: there is nothing to compare.")
    written = "".join(output.text for output in item.test_outputs or [] if output.get("name") == "stderr")
    if written:
        item.raise_cell_error("The cell wrote to stderr.", written)
    return result


def keep_history(client: Any) -> None:
    """Let a kernel client store each cell in the kernel's history, whatever its caller asks for."""
    execute = type(client).execute

    def with_history(code: str, **options: Any) -> str:
        return execute(client, code, **(options | {"store_history": True}))

    client.execute = with_history
