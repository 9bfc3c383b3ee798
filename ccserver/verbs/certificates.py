"""`ccserver certificates`: what phones are shown by TLS."""

import argparse
from datetime import UTC, datetime

from ccserver.asterisk import certificates
from ccserver.asterisk.settings import instance_of
from ccserver.config.load import load

STORY = """
What phones are shown when they connect by TLS (sip.tls_port). Without sip.certificate it is signed by an authority of
our own, which phones must be told to trust; it is made and renewed by itself whenever Asterisk is rendered or started.

  ccserver certificates make    make it, or renew one that runs out or is for other names
  ccserver certificates show    whom it is for, until when, and what phones must trust
  ccserver certificates check   say what is wrong with it
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to do with it."""
    parser.add_argument("action", choices=("make", "show", "check"))


def run(args: argparse.Namespace) -> int:
    """Make, show or check it."""
    return certificates.perform(args.action, instance_of(load(args.config)), datetime.now(UTC))
