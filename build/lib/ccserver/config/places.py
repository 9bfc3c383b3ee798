"""Where the configuration and the state directory are, when nobody says: the environment, else the checkout, else the system.

Asked by the command line and by whoever starts a part of the server by itself.
"""

import os
from collections.abc import Mapping
from pathlib import Path

MAIN_FILE = "ccserver.toml"
CHECKOUT = Path(__file__).resolve().parent.parent.parent
SYSTEM_CONFIG = Path("/etc/ccserver/dialplans")
SYSTEM_STATE = Path("/var/lib/ccserver")


def in_checkout() -> bool:
    """Whether this code runs out of a checkout (or an editable install of it) and not out of a system's packages."""
    return (CHECKOUT / "pyproject.toml").is_file()


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """CCSERVER_CONFIG (the directory or its `ccserver.toml`), else the checkout's, else /etc/ccserver/dialplans."""
    named = environ.get("CCSERVER_CONFIG")
    return main_file(Path(named) if named else CHECKOUT / "dialplans" if in_checkout() else SYSTEM_CONFIG)


def state_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """CCSERVER_STATE, else `var/` of the checkout, else /var/lib/ccserver; absolute."""
    named = environ.get("CCSERVER_STATE")
    return (Path(named) if named else CHECKOUT / "var" if in_checkout() else SYSTEM_STATE).absolute()


def main_file(path: Path) -> Path:
    """The `ccserver.toml` of a configuration, named by its directory or by the file itself."""
    try:
        return path / MAIN_FILE if path.is_dir() else path
    except OSError:  # not ours to look at: reading the file will say so
        return path
