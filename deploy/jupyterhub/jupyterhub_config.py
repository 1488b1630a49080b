"""JupyterHub for a class on one Linux machine: docs/teachers_guide.md says how to set it up.

What a class may want to change stands in a settings file (hub.toml, beside this file, names all of it with
the defaults), so that this file can be taken from a new version of the course as it is.
"""

import os
import pwd
import sys
import tomllib
from pathlib import Path

c = get_config()  # noqa: F821  (JupyterHub hands it over)

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
PROGRAMS = Path(sys.executable).parent  # the course's environment: the hub's, the servers' and the kernels'
COURSE = "neurons-to-transformers"
sys.path.insert(0, str(REPOSITORY))

from utils.site.vendor import PROXY, package, program  # noqa: E402


def read_settings() -> dict:
    """The settings file over the defaults.

    Raises:
        SystemExit: the file named cannot be read, or holds what is no setting.
    """
    defaults = tomllib.loads((HERE / "hub.toml").read_text(encoding="utf-8"))
    named = os.environ.get("N2T_HUB_SETTINGS")
    file = Path(named or "/etc/neurons/hub.toml")
    if not named and not file.exists():
        return defaults
    try:
        own = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        sys.exit(f"The hub's settings, {file}, cannot be read: {error}")
    for name, value in own.items():
        if name not in defaults:
            sys.exit(f"{file}: there is no setting {name!r}. There are {', '.join(defaults)}.")
        numbers = isinstance(defaults[name], float) and type(value) is int
        if type(value) is not type(defaults[name]) and not numbers:
            sys.exit(f"{file}: {name} = {value!r} should be like {name} = {defaults[name]!r}.")
    return defaults | own


settings = read_settings()


def teachers_account() -> tuple[int, int]:
    """User and group number of the teacher; without root's rights, and where nobody has an account, our own.

    Raises:
        SystemExit: there is no such account.
    """
    if os.geteuid() != 0 or settings["spawner"] == "simple":
        return os.geteuid(), os.getegid()
    name = settings["teachers"][0]
    try:
        account = pwd.getpwnam(name)
    except KeyError:
        sys.exit(f"The teacher, {name!r}, has no account on this machine. Make one with: adduser {name}")
    return account.pw_uid, account.pw_gid


def folder(path: str | Path, mode: int, owner: tuple[int, int] | None = None) -> Path:
    """Make a folder with exactly this mode, unless it is there."""
    path = Path(path)
    if not path.exists():
        path.mkdir(parents=True)
        if owner:
            os.chown(path, *owner)
        path.chmod(mode)  # last: a change of owner takes the group's bit away
    return path


def role_of(spawner) -> str:
    """The folder of Jupyter's and nbgrader's configuration for the user whose server is started."""
    return str(HERE / ("teacher" if spawner.user.name in settings["teachers"] else "student"))


# ------------------------------------------------------------------------------------- folders
state = folder(settings["state"], 0o700)
# The course's part of the exchange is the teacher's before any student can make a folder of that name. Into
# "inbound" everybody may put something, and only the teacher sees what is there.
exchange = folder(settings["exchange"], 0o1777)
if settings["teachers"]:
    owner = teachers_account()
    folder(exchange / COURSE, 0o755, owner)
    folder(exchange / COURSE / "outbound", 0o755, owner)
    folder(exchange / COURSE / "inbound", 0o2733, owner)
    folder(exchange / COURSE / "feedback", 0o711, owner)

# ------------------------------------------------------------------------------------- hub and proxy
c.JupyterHub.bind_url = settings["address"]
c.JupyterHub.ssl_cert = settings["certificate"]
c.JupyterHub.ssl_key = settings["key"]
c.JupyterHub.db_url = f"sqlite:///{state / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(state / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(state / "proxy.pid")
c.ConfigurableHTTPProxy.command = [
    program("node"),
    str(package(*PROXY) / "bin" / "configurable-http-proxy"),
]
c.JupyterHub.active_server_limit = settings["servers"]

# ------------------------------------------------------------------------------------- who may log in
c.JupyterHub.authenticator_class = settings["authenticator"]
c.Authenticator.allow_all = False
c.Authenticator.allowed_users = {*settings["teachers"], *settings["students"]}
c.Authenticator.admin_users = set()
if settings["groups"]:
    c.LocalAuthenticator.allowed_groups = set(settings["groups"])

# ------------------------------------------------------------------------------------- the users' servers
c.JupyterHub.spawner_class = settings["spawner"]
c.Spawner.cmd = [str(HERE / "start-server"), str(PROGRAMS / "jupyterhub-singleuser")]
c.Spawner.notebook_dir = "~"
c.Spawner.default_url = "/lab"
c.Spawner.mem_limit = f"{settings['memory_mb']}M"  # start-server holds each process to it
c.Spawner.args = [f"--ServerApp.shutdown_no_activity_timeout={round(3600 * settings['idle_hours'])}"]
c.Spawner.environment = {
    "PATH": f"{PROGRAMS}{os.pathsep}/usr/local/bin:/usr/bin:/bin",
    "JUPYTER_CONFIG_PATH": role_of,
    "N2T_HUB_COURSE": COURSE,
    "N2T_HUB_EXCHANGE": str(exchange),
    "N2T_HUB_PROCESSES": str(settings["processes"]),
    "OMP_NUM_THREADS": str(settings["threads"]),
}
