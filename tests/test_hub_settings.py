"""The hub's configuration without a hub: settings, defaults, what the guide and the unit say of them."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from utils.site import vendor

REPOSITORY = Path(__file__).parents[1]
HUB = REPOSITORY / "deploy" / "jupyterhub"
DEFAULTS = tomllib.loads((HUB / "hub.toml").read_text(encoding="utf-8"))
GUIDE = (REPOSITORY / "docs" / "teachers_guide.md").read_text(encoding="utf-8")
FOLDERS = 'state = "{0}/state"\nexchange = "{0}/exchange"\n'


@pytest.fixture
def configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Load the configuration with these settings, as JupyterHub does; npm is not asked."""
    monkeypatch.setattr(vendor, "package", lambda name, version: tmp_path / f"{name}-{version}")
    monkeypatch.setattr(vendor, "program", lambda name: f"/bin/{name}")
    monkeypatch.setattr("pwd.getpwnam", lambda name: pwd.getpwuid(os.getuid()))  # the tester is everybody

    def load(settings: str) -> Config:
        file = tmp_path / "hub.toml"
        file.write_text(settings + FOLDERS.format(tmp_path), encoding="utf-8")
        monkeypatch.setenv("N2T_HUB_SETTINGS", str(file))
        return PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()

    return load


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def test_without_settings_only_the_teacher_gets_in_and_only_from_this_machine(
    configure, tmp_path: Path
) -> None:
    config = configure("")
    assert config.JupyterHub.bind_url == "http://127.0.0.1:8000"
    assert config.JupyterHub.authenticator_class == "pam"
    assert config.Authenticator.allow_all is False and config.Authenticator.admin_users == set()
    assert config.Authenticator.allowed_users == {"teacher"}
    assert "LocalAuthenticator" not in config
    course = tmp_path / "exchange" / "neurons-to-transformers"
    assert mode(tmp_path / "state") == 0o700 and mode(course.parent) == 0o1777
    assert [mode(course / name) for name in ("outbound", "inbound", "feedback")] == [0o755, 0o2733, 0o711]


def test_the_guides_settings_are_settings(configure) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    config = configure(block)
    assert config.LocalAuthenticator.allowed_groups == {"students"}
    assert config.JupyterHub.bind_url.startswith("https://") and config.JupyterHub.ssl_key.endswith(
        "privkey.pem"
    )
    assert config.Spawner.mem_limit == "4096M"


@pytest.mark.parametrize("teacher", [True, False])
def test_teacher_and_students_get_different_configurations(configure, teacher: bool) -> None:
    class Spawner:
        class user:
            name = "curie" if teacher else "ada"

    folder = configure('teachers = ["curie"]\n').Spawner.environment["JUPYTER_CONFIG_PATH"](Spawner())
    assert Path(folder) == HUB / ("teacher" if teacher else "student")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("teacher = 'x'\n", "there is no setting 'teacher'. There are address, "),
        ("teachers = 'x'\n", "teachers = 'x' should be like teachers = ['teacher']"),
        ("processes = '512'\n", "should be like processes = 512"),
        ("address = http\n", "cannot be read"),
    ],
)
def test_wrong_settings_are_named(configure, settings: str, words: str) -> None:
    with pytest.raises(SystemExit, match=re.escape(words)):
        configure(settings)


def test_a_missing_file_is_named(configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("N2T_HUB_SETTINGS", "/nowhere/hub.toml")
    with pytest.raises(SystemExit, match=r"/nowhere/hub\.toml, cannot be read"):
        PyFileConfigLoader("jupyterhub_config.py", path=str(HUB)).load_config()


def test_a_teacher_without_an_account_is_named(configure, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr("pwd.getpwnam", unknown)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(SystemExit, match="'curie', has no account on this machine"):
        configure('teachers = ["curie"]\n')


def test_hours_may_be_whole(configure) -> None:
    assert configure("idle_hours = 3\n").Spawner.args == ["--ServerApp.shutdown_no_activity_timeout=10800"]


def test_the_hub_does_not_load_torch() -> None:
    """Half a gigabyte that the hub would hold for nothing, and every start would wait for."""
    code = "import sys, utils.site.vendor; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0


def test_the_unit_starts_what_make_starts() -> None:
    unit = (HUB / "neurons-hub.service").read_text(encoding="utf-8")
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    (started,) = re.findall(r"^ExecStart=/opt/neurons/\.venv/bin/python (.*)$", unit, re.MULTILINE)
    assert f"\t$(PY) {started} $(HUB_ARGS)\n" in makefile
    assert (REPOSITORY / started.split()[-1]).exists()
