"""What the person at the terminal is told: how to connect, by TLS too when it is on."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.config_site import CHECKOUT


def welcome(place: Path, **sip: object) -> str:
    access = {
        "sip": {"host": "192.0.2.7", "port": 5060, "tls_port": 0, "trust": "", **sip},
        "lines": ["88007707999"],
        "operators": [{"extension": "1001", "password": "p1001", "encryption": "required"}],
        "caller": {"user": "caller", "password": "pc"},
        "http": {"url": "http://127.0.0.1:8080", "token": "t"},
    }
    (place / "access.json").write_text(json.dumps(access))
    command = [sys.executable, CHECKOUT / "script" / "welcome.py", place / "access.json", str(os.getpid())]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_tls_is_told_when_it_is_on_with_what_to_trust(tmp_path: Path) -> None:
    assert "TLS" not in welcome(tmp_path)
    told = welcome(tmp_path, tls_port=5061, trust="/var/lib/ccserver/certificates/ca.pem")
    assert (
        "or, encrypted: server 192.0.2.7:5061, TLS, trusting /var/lib/ccserver/certificates/ca.pem; sound (SRTP) required"
        in told
    )
    assert "trusting" not in welcome(tmp_path, tls_port=5061)
