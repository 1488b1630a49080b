"""The hub of a test: deploy/jupyterhub's configuration, and what a test must set besides. See real_hub.py."""

import json
import os
from pathlib import Path

c = get_config()  # noqa: F821  (JupyterHub hands it over)
load_subconfig(os.environ["N2T_TEST_CONFIGURATION"])  # noqa: F821

# Ports that are free, patience for a busy machine, and JupyterLab's commands for the test to call.
c.JupyterHub.hub_bind_url = os.environ["N2T_TEST_HUB"]
c.ConfigurableHTTPProxy.api_url = os.environ["N2T_TEST_PROXY"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 180
c.Spawner.args = [*c.Spawner.args, "--LabApp.expose_app_in_browser=True"]

if passwords := os.environ.get("N2T_TEST_PASSWD"):  # all are the tester: each gets a name and a home
    c.DummyAuthenticator.password = os.environ["N2T_TEST_PASSWORD"]
    homes = Path(os.environ["N2T_TEST_HOMES"])
    c.SimpleLocalProcessSpawner.home_dir_template = str(homes / "{username}")
    start = list(c.Spawner.cmd)

    def confine(spawner) -> None:
        """Start this user's server where the account has the user's name, and other homes cannot be seen."""
        name = spawner.user.name
        home = homes / name
        home.mkdir(parents=True, exist_ok=True)
        names = Path(json.loads(passwords)[name])
        bwrap = ["bwrap", "--dev-bind", "/", "/", "--bind", str(names), "/etc/passwd"]
        bwrap += ["--tmpfs", str(homes), "--bind", str(home), str(home), "--chdir", str(home)]
        spawner.cmd = [*bwrap, "--die-with-parent", *start]

    c.Spawner.pre_spawn_hook = confine
