"""What systemd must know of an Asterisk so that it starts as `ccserver asterisk exec` would start it: a drop-in for its unit.

The unit in `systemd/` becomes root, puts a root together and steps down. With the drop-in systemd does that itself, from
the same `Layout`: no line of ours runs as root but the rendering of the configuration, Asterisk can reach nothing else of
the machine, and `systemctl show` tells what it sees. Systemd makes the mount points in the shared root: empty
directories, and they stay.
"""

import sys
from pathlib import Path

from ccserver.asterisk.namespace import layout
from ccserver.asterisk.root import AsteriskRoot
from ccserver.asterisk.settings import Instance

_TEXT = """\
# Made by `ccserver asterisk unit`, from the configuration and from where Asterisk lives; make it again when they move.
# For /etc/systemd/system/ccserver-asterisk.service.d/root.conf
[Service]
{root}\
BindReadOnlyPaths={read_only}
BindPaths={writable}
User={user}
Group={user}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome={protect_home}
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
PrivateDevices=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=
ExecStartPre=
ExecStartPre=+{ccserver} asterisk render
ExecStart=
ExecStart={command}
# The way in for `ccserver asterisk status` and `console`.
ExecStartPost=/bin/sh -c 'rm -f {pid_file} && echo $MAINPID >{pid_file}'
"""
_ROOT = """\
RootDirectory={path}
RootDirectoryStartOnly=yes
MountAPIVFS=yes
TemporaryFileSystem=/tmp:mode=1777
"""


def drop_in(instance: Instance, root: AsteriskRoot, user: str, ccserver: Path | None = None) -> str:
    """The file's text; `ccserver`: the program, None: the one that runs now. Raises `PathRefused`."""
    seen = layout(instance, root)
    paths = (*seen.shown, seen.writable)
    files = [f"-{path}" for path in seen.files]
    in_home = any(path.is_relative_to(home) for path in paths for home in ("/home", "/root"))
    return _TEXT.format(
        root="" if root.is_host else _ROOT.format(path=root.path),
        read_only=" ".join([*([] if root.is_host else files), *map(str, seen.shown)]),
        writable=seen.writable,
        user=user,
        protect_home="no" if in_home else "yes",
        ccserver=ccserver or Path(sys.executable).with_name("ccserver"),
        command=f"{root.binary} -f -C {instance.conf_path}",
        pid_file=instance.pid_path,
    )
