"""``python -m utils.grading``."""

from .command import app

if __name__ == "__main__":
    app(prog_name="python -m utils.grading")
