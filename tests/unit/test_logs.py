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


def test_what_a_caller_says_of_himself_makes_no_line_of_the_log_and_no_colour() -> None:
    program = PROGRAM.replace('much="x" * 100_000', 'pii_ani="1\\r\\nlevel=info event=forged \\x1b[31m\\x85\\u2028"')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8")
    ours, others = done.stderr.splitlines()
    assert ours.endswith(r'pii_ani="1\\x0d\nlevel=info event=forged \\x1b[31m\\x85\\x2028"')
    assert others == "ERROR other full"
