"""How one Asterisk sees its files: a root put together for it alone, thrown away with the process.

The shared root directory must stay as it was made, and several instances use it at once. So each gets a mount
namespace of its own in which an empty tmpfs becomes the root: usr and etc of the shared root in it, read-only; the
machine's proc, dev and name resolution; and the instance's directories at the very paths they have outside, so that
a path in a command over ARI means the same file to both sides. When the process ends, the kernel drops all of it.

`Layout` says what is seen where; `starting_command` makes it so by itself, and `unit.drop_in` asks systemd for the same.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from ccserver.asterisk.errors import NotPermitted, PathRefused
from ccserver.asterisk.root import AsteriskRoot
from ccserver.asterisk.settings import Instance

# Paths below these are the shared root's own inside, or the machine's: nothing of ours can be shown there.
_TAKEN = tuple(map(Path, ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/proc", "/dev", "/sys")))
_ETC = Path("/etc")
"""A directory of ours below it can be shown, unless the shared root has something there."""
HOST_FILES = (Path("/etc/resolv.conf"), Path("/etc/hosts"))
"""The machine's own instead of the shared root's, where both have one."""

# Arguments: PIDFILE ROOT USER:GROUP STATE FILE… -- DIR… -- COMMAND…
# Every step is an exec of the next, so the process we start is Asterisk in the end, under one pid.
_SCRIPT = """
set -eu
cd /
# We may be root here, and the rescue unit, which reads this, is not.
rm -f "$1"
echo $$ >"$1"
chmod 644 "$1"
umask 077
root=$2 owner=$3 state=$4
shift 4
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -H -n)"
if [ "$root" = / ]; then
  while [ "$1" != -- ]; do shift; done
  shift
  while [ "$1" != -- ]; do shift; done
  shift
  if [ "$(id -u)" = 0 ]; then exec setpriv --reuid="${owner%:*}" --regid="${owner#*:}" --clear-groups -- "$@"; fi
  exec "$@"
fi
new=$root/mnt
mount -t tmpfs -o mode=755,size=16m ccserver "$new"
mkdir -m 755 "$new/usr"
mount --bind "$root/usr" "$new/usr"
mount -o remount,bind,ro "$new/usr"
# A copy, so that a directory of ours can be shown below it: it is small.
cp -a "$root/etc" "$new/etc"
for dir in bin sbin lib lib32 lib64 libx32; do
  if [ -L "$root/$dir" ]; then cp -P "$root/$dir" "$new/$dir"; fi
done
mkdir -m 755 "$new/proc" "$new/dev" "$new/run" "$new/var" "$new/root"
mkdir -m 1777 "$new/tmp"
mount --bind /proc "$new/proc"
mount --rbind /dev "$new/dev"
while [ "$1" != -- ]; do
  if [ -e "$1" ] && [ -f "$root$1" ]; then mount --bind "$1" "$new$1"; fi
  shift
done
shift
# show PATH: at the same path inside.
show() { (umask 022 && mkdir -p "$new$1") && mount --bind "$1" "$new$1"; }
while [ "$1" != -- ]; do
  show "$1"
  mount -o remount,bind,ro "$new$1"
  shift
done
shift
show "$state"
# systemd's socket, over which Asterisk says that it is ready.
case ${NOTIFY_SOCKET:-} in
  "$state"/*) ;;
  /*) show "$(dirname "$NOTIFY_SOCKET")" ;;
esac
exec chroot --userspec="$owner" "$new" "$@"
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """What Asterisk sees of the machine besides the shared root's usr and etc, everything at its own path."""

    shown: tuple[Path, ...]
    """Read-only; what lies inside another comes after it."""
    writable: Path
    """The state directory."""
    files: tuple[Path, ...] = HOST_FILES


def layout(instance: Instance, root: AsteriskRoot) -> Layout:
    """`PathRefused` when a directory cannot be shown at its own path; an installed Asterisk sees everything anyway."""
    # Shorter paths first: a directory inside another is mounted on top of it, the state directory on top of all.
    shown = tuple(sorted({instance.dialplans_dir, *instance.shown_dirs}, key=lambda path: (len(path.parts), path)))
    for path in (*shown, instance.state_dir):
        if not root.is_host and _hidden(path, root):
            raise PathRefused(f"{path}: Asterisk in a root of its own cannot see this directory, put it elsewhere")
        if not path.is_dir():
            raise PathRefused(f"{path}: no such directory")
    return Layout(shown, instance.state_dir)


def _hidden(path: Path, root: AsteriskRoot) -> bool:
    if path in (Path("/"), _ETC) or any(path.is_relative_to(taken) for taken in _TAKEN):
        return True
    inside = root.path / path.relative_to("/")
    # An empty directory is no more than a mount point that somebody left there.
    return path.is_relative_to(_ETC) and ((inside.is_dir() and any(inside.iterdir())) or inside.is_file())


def starting_command(instance: Instance, root: AsteriskRoot) -> list[str]:
    """The command that becomes Asterisk in the foreground; the process keeps its pid on the way.

    `PathRefused` when a directory cannot be shown at its own path, `NotPermitted` without the right to mount.
    """
    asterisk = [str(root.binary), "-f", "-C", str(instance.conf_path)]
    script = ["/bin/sh", "-c", _SCRIPT, "ccserver-asterisk", str(instance.pid_path), str(root.path)]
    owner = instance.state_dir.stat()
    userspec = f"{owner.st_uid}:{owner.st_gid}"
    if root.is_host:
        return [*script, userspec, str(instance.state_dir), "--", "--", *asterisk]
    if os.geteuid() != 0:
        raise NotPermitted(f"Asterisk in {root.path} needs chroot and mount: run this as root, or install Asterisk")
    seen = layout(instance, root)
    files, shown = map(str, seen.files), map(str, seen.shown)
    return ["unshare", "--mount", "--", *script, userspec, str(seen.writable), *files, "--", *shown, "--", *asterisk]


def entering_command(pid: int, root: AsteriskRoot, command: list[str]) -> list[str]:
    """The same command run beside a running Asterisk, seeing what it sees."""
    if root.is_host:
        return command
    return ["nsenter", f"--target={pid}", "--mount", "--root", "--wd=/", "--", *command]
