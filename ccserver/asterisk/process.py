"""Start one Asterisk, know when it has booted, ask it something, stop it.

Called by the command line, `script/server` and the tests; never by the daemon. The process belongs to nobody: it has
a session of its own and goes on when whoever started it is gone.
"""

import contextlib
import errno
import json
import os
import selectors
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ccserver.asterisk.errors import AlreadyRunning, NotRunning, PathRefused, PortTaken, StartFailed
from ccserver.asterisk.namespace import entering_command, starting_command
from ccserver.asterisk.root import AsteriskRoot
from ccserver.asterisk.secrets import Secrets
from ccserver.asterisk.settings import ARI_USER, Instance

BOOT_TIMEOUT_S = 40.0
STOP_TIMEOUT_S = 15.0
_POLL_S = 0.25
# Linux: sun_path holds 108 bytes with the final zero.
_SOCKET_PATH_LIMIT = 107


@dataclass(frozen=True, slots=True)
class Status:
    """What `ccserver asterisk status` shows."""

    pid: int | None
    answering: bool
    """ARI answers with the password in our secrets."""


def start(instance: Instance, root: AsteriskRoot, secrets: Secrets, timeout_s: float = BOOT_TIMEOUT_S) -> int:
    """Start Asterisk detached and return its pid once it has booted and answers ARI.

    The state directory must have been prepared (`render.prepare`). A port that is taken, a path that cannot be
    shown, an instance that runs already: the error comes before anything is started. What does not come up is ended.
    """
    if (pid := running_pid(instance)) is not None:
        raise AlreadyRunning(pid, instance.state_dir)
    _check_socket_paths(instance)
    check_ports(instance)
    command = starting_command(instance, root)
    log_start = _size(instance.message_log_path)
    with _notify_socket(instance) as (notify, notify_path):
        pid = _spawn(instance, command, notify_path)
        try:
            if problem := _await_boot(instance, secrets, pid, notify, timeout_s):
                raise StartFailed(f"{problem}: {_last_words(instance, log_start)}")
        except BaseException:
            _end(pid, signal.SIGKILL, STOP_TIMEOUT_S)
            raise
    return pid


def exec_foreground(instance: Instance, root: AsteriskRoot) -> None:
    """Become Asterisk: for a service manager, which does the waiting and stopping itself. Returns only by raising."""
    if (pid := running_pid(instance)) is not None:
        raise AlreadyRunning(pid, instance.state_dir)
    _check_socket_paths(instance)
    check_ports(instance)
    command = starting_command(instance, root)
    os.execvp(command[0], command)


def stop(instance: Instance, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End Asterisk and with it every call; `NotRunning` if there is nothing to end. Killed when it does not obey."""
    if (pid := running_pid(instance)) is None:
        raise NotRunning(instance.state_dir)
    if not _end(pid, signal.SIGTERM, timeout_s):
        _end(pid, signal.SIGKILL, timeout_s)
    instance.pid_path.unlink(missing_ok=True)


def kill(instance: Instance, timeout_s: float = STOP_TIMEOUT_S) -> None:
    """End it as a crash would, and wait until it is gone."""
    if (pid := running_pid(instance)) is None:
        raise NotRunning(instance.state_dir)
    _end(pid, signal.SIGKILL, timeout_s)


def running_pid(instance: Instance) -> int | None:
    """The pid of this instance, or None. A pid that now belongs to some other program does not count."""
    try:
        pid = int(instance.pid_path.read_text(encoding="ascii"))
        _reap(pid)
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    # A zombie's command line is empty. While it is still setting up its root the process is a shell with the same path.
    return pid if os.fsencode(instance.conf_path) in command else None


def status(instance: Instance, secrets: Secrets) -> Status:
    pid = running_pid(instance)
    return Status(pid, pid is not None and ping(instance, secrets))


def ask(instance: Instance, root: AsteriskRoot, command: str, timeout_s: float = 20.0) -> str:
    """One console command, e.g. `core show channels`, and what Asterisk prints."""
    if (pid := running_pid(instance)) is None:
        raise NotRunning(instance.state_dir)
    console = [str(root.binary), "-C", str(instance.conf_path), "-rx", command]
    answer = subprocess.run(
        entering_command(pid, root, console),
        capture_output=True,
        timeout=timeout_s,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return answer.stdout.decode(errors="replace")


def check_ports(instance: Instance) -> None:
    """`PortTaken` names the first port that Asterisk could not have, and the key that chose it."""
    _check_port("127.0.0.1", instance.http_port, socket.SOCK_STREAM, "asterisk.http_port")
    _check_port("127.0.0.1", instance.ami_port, socket.SOCK_STREAM, "asterisk.ami_port")
    _check_port(instance.sip_address, instance.sip_port, socket.SOCK_DGRAM, "asterisk.sip_port")
    if instance.sip.tcp:
        _check_port(instance.sip_address, instance.sip_port, socket.SOCK_STREAM, "asterisk.sip_port")
    if instance.sip.tls_port:
        _check_port(instance.sip_address, instance.sip.tls_port, socket.SOCK_STREAM, "sip.tls_port")


def ping(instance: Instance, secrets: Secrets, timeout_s: float = 2.0) -> bool:
    """Does ARI answer to our password? False while it boots; `StartFailed` when it knows us and says no."""
    token = b64encode(f"{ARI_USER}:{secrets.ari_password}".encode()).decode()
    url = f"{instance.ari_url}/asterisk/ping"
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {token}"})
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as response:
            return bool(json.load(response).get("ping") == "pong")
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 401:
                raise StartFailed(f"{url}: password refused; is another program on this port?") from None
        return False  # 404 and 503: it is still loading
    except (OSError, ValueError):
        return False


def _check_port(address: str, port: int, kind: socket.SocketKind, key: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # Connections of the instance before, still in TIME_WAIT, do not count; Asterisk binds the same way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            protocol = "tcp" if kind == socket.SOCK_STREAM else "udp"
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(address, port, protocol, key) from None
            raise StartFailed(f"cannot listen on {address} port {port} ({key}): {error.strerror}") from None


def _check_socket_paths(instance: Instance) -> None:
    control = instance.run_dir / "asterisk.ctl"
    if len(os.fsencode(control)) > _SOCKET_PATH_LIMIT:
        raise PathRefused(f"{control}: longer than {_SOCKET_PATH_LIMIT} bytes, move the state directory up")


@contextlib.contextmanager
def _notify_socket(instance: Instance) -> Iterator[tuple[socket.socket, Path]]:
    """Where Asterisk says READY=1 once everything is loaded: systemd's protocol, on a socket of our own."""
    path = instance.run_dir / "notify"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(path))
        path.chmod(0o666)  # Asterisk may be another user; the directory is closed to everyone else
        try:
            yield notify, path
        finally:
            path.unlink(missing_ok=True)


def _spawn(instance: Instance, command: list[str], notify_path: Path) -> int:
    environ = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C.UTF-8",
        "HOME": str(instance.db_dir),
        "NOTIFY_SOCKET": str(notify_path),
    }
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawnp(
        command[0],
        command,
        environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(instance.console_log_path), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        # Its own session: a Ctrl-C at the terminal, or the end of whoever started it, must not end calls.
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGINT],
    )


def _await_boot(instance: Instance, secrets: Secrets, pid: int, notify: socket.socket, timeout_s: float) -> str:
    """Return when Asterisk says it is ready and ARI answers, or what went wrong when it dies or takes too long."""
    deadline = time.monotonic() + timeout_s
    with selectors.DefaultSelector() as selector, _watch(pid) as death:
        selector.register(notify, selectors.EVENT_READ)
        selector.register(death, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            ready = {key.fileobj for key, _ in selector.select(_POLL_S)}
            if death in ready:
                return "Asterisk ended while starting"
            told = notify in ready and b"READY=1" in notify.recv(4096)
            # The word may never come: an Asterisk built without systemd does not know it. Asking works for both.
            if (told or not ready) and ping(instance, secrets):
                return ""
    return f"Asterisk did not boot within {timeout_s:g} s"


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _last_words(instance: Instance, log_start: int) -> str:
    """What this start said last of why it failed, and where the rest is."""
    for path, offset in ((instance.message_log_path, log_start), (instance.console_log_path, 0)):
        with contextlib.suppress(OSError):
            lines = path.read_bytes()[offset:].decode(errors="replace").splitlines()
            # The very last error only says that Asterisk gives up.
            errors = [line for line in lines if "ERROR" in line and "EXITING" not in line]
            said = errors or [line for line in lines if line.strip()]
            if said:
                return f"{'; '.join(line.split('] ')[-1].strip() for line in said[-2:])} (more in {path})"
    return f"see {instance.console_log_path}"


@contextlib.contextmanager
def _watch(pid: int) -> Iterator[int]:
    """A descriptor that becomes readable when the process ends; `ProcessLookupError` if it is gone."""
    descriptor = os.pidfd_open(pid)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _end(pid: int, number: signal.Signals, timeout_s: float) -> bool:
    """Signal a process and wait for its end; True when it is gone."""
    with contextlib.suppress(ProcessLookupError), _watch(pid) as death, selectors.DefaultSelector() as selector:
        signal.pidfd_send_signal(death, number)
        selector.register(death, selectors.EVENT_READ)
        if not selector.select(timeout_s):
            return False
    _reap(pid)
    return True


def _reap(pid: int) -> None:
    """Forget a child that has ended: whoever started Asterisk is its parent as long as he lives."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
