"""Tell the person at the terminal how to call: waits until the daemon has written access.json, then explains it.

welcome.py ACCESS_JSON PID_OF_THE_DAEMON [demo]
"""

import json
import os
import sys
import time
from ipaddress import ip_address
from pathlib import Path

WAIT_S = 30.0
DEMO = """\
  The demo      plays customers and the last operators, with real phones and voices: watch the page, listen to recordings.
                {first} and {second} are left to you: register one, dial *11, and you are in. Try kill -9 of the daemon.
                What the daemon does is logged in {log}.

"""


def main(path: Path, pid: int, *, demo: bool) -> int:
    give_up_at = time.monotonic() + WAIT_S
    while not path.is_file():
        if time.monotonic() > give_up_at or not _alive(pid):
            return 1  # the daemon has said why
        time.sleep(0.1)
    access = json.loads(path.read_text(encoding="utf-8"))
    sip, first = access["sip"], access["operators"][0]
    here = ip_address(sip["host"]).is_loopback
    elsewhere = "\n                (phones on other machines: first set sip_address in ccserver.toml)" if here else ""
    encrypted = ""
    if sip.get("tls_port"):
        trusted = f", trusting {sip['trust']}" if sip["trust"] else ""
        encrypted = f"""
                  or, encrypted: server {sip["host"]}:{sip["tls_port"]}, TLS{trusted}; sound (SRTP) {first["encryption"]}"""
    played = (
        DEMO.format(
            first=first["extension"], second=access["operators"][1]["extension"], log=path.with_name("server.log")
        )
        if demo
        else ""
    )
    print(
        f"""
  Live page     {access["http"]["url"]}/?token={access["http"]["token"]}

  An operator   any SIP softphone (Linphone, MicroSIP, Zoiper ...):{elsewhere}
                  server    {sip["host"]}:{sip["port"]}, UDP
                  user      {first["extension"]}      password {first["password"]}{encrypted}
                  ({len(access["operators"])} operators: {first["extension"]} to {access["operators"][-1]["extension"]})
                then dial *11 to be ready, *12 and a digit for a break, *13 to log out

  A customer    a second softphone:
                  server    {sip["host"]}:{sip["port"]}, UDP
                  user      {access["caller"]["user"]}    password {access["caller"]["password"]}
                then dial {" or ".join(access["lines"])}

{played}  Everything to connect with is in {path}
  Ctrl-C stops the daemon and Asterisk.
""",
        flush=True,
    )
    return 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), demo="demo" in sys.argv[3:]))
