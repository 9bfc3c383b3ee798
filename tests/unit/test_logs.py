"""The log may be a file on a full disk."""

import subprocess
import sys

PROGRAM = """
import logging
import structlog
from ccserver.logs import configure

configure(debug=False)
structlog.get_logger().error("full", much="x" * 100_000)
logging.getLogger("other").error("full")
print("alive")
"""


def test_a_log_that_cannot_be_written_ends_nothing() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=full, text=True)
    assert (done.stdout, done.returncode) == ("alive\n", 0)


def test_one_event_is_one_line_with_its_data_in_fields() -> None:
    program = PROGRAM.replace('much="x" * 100_000', 'contact="cc1-1.1", pii_ani="a b"')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    ours, others = done.stderr.splitlines()
    assert ours.endswith('level=error event=full contact=cc1-1.1 pii_ani="a b"')
    assert others == "ERROR other full"
