"""Marking a class's notebooks: untrusted code in a sandbox, judgement outside it.

::

    python -m utils.grading submitted/ --out marks/     (or: make grade SUBMISSIONS=… OUT=…)

Which module runs where is the whole point, so it is said here once:

* in the sandbox, beside the learner's code and no more to be believed than it: :mod:`.inside` and
  :mod:`.plain`, the probes that :mod:`.view` cuts out of the checks, and the rest of the student's view;
* outside, in the teacher's own process: everything else. It sends inputs, receives plain data, and compares
  them with the reference by the same code as ``check()``.
"""
