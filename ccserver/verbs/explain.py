"""`ccserver explain`: why a contact waited and who got it; why an operator got nothing."""

import argparse
import sys
from datetime import datetime
from urllib.parse import quote

import msgspec
from msgspec import Struct

from ccserver.api.messages import MomentReply
from ccserver.config.errors import QuestionError
from ccserver.config.places import state_dir
from ccserver.verbs.asking import ask, told, way_in

STORY = """
Why a contact waited, who could have taken it at each moment and why they did not; or why an operator got no contact
since some time: what he did, what he was offered, what went to others and why. Told from what was written down when it
was decided, by the running daemon.

  ccserver explain cc1-1780000000.17
  ccserver explain --agent 1001 --since 10:00
  ccserver explain --agent 1001 --since 2026-01-31T22:30
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Whom it is about."""
    parser.add_argument("contact", nargs="?", metavar="CONTACT", help="the contact's id")
    parser.add_argument("--agent", metavar="EXTENSION", help="an operator instead of a contact")
    parser.add_argument(
        "--since", metavar="TIME", help="of an operator: since then (10:00, or 2026-01-31T22:30; an hour)"
    )


def run(args: argparse.Namespace) -> int:
    """The answer in one sentence, then the moments that it rests on; 1 when there is nothing of that name."""
    if (args.contact is None) == (args.agent is None):
        raise QuestionError("say either the contact's id or --agent EXTENSION")
    if args.since is not None and args.agent is None:
        raise QuestionError("--since goes with --agent: a contact is told from its beginning")
    if args.agent is None:
        path = f"/api/contacts/{quote(args.contact, safe='')}/explain"
    else:
        since = "" if args.since is None else f"?since={quote(_since(args.since))}"
        path = f"/api/agents/{quote(args.agent, safe='')}/explain{since}"
    status, body = ask(way_in(state_dir()), "GET", path)
    if status != 200:
        print(f"ccserver: {told(body)}", file=sys.stderr)
        return 1
    reply = msgspec.json.decode(body, type=_Explained)
    print("\n".join([reply.summary, *map(_line, reply.timeline)]))
    return 0


class _Explained(Struct, frozen=True):
    """What the two replies have in common."""

    summary: str
    timeline: tuple[MomentReply, ...]


def _line(moment: MomentReply) -> str:
    at = datetime.fromisoformat(moment.at).astimezone()
    return f"  {at:%Y-%m-%d %H:%M:%S}  {moment.text}"


def _since(text: str) -> str:
    """By the clock of this machine: a time of today, or of a day."""
    today = datetime.now().astimezone()
    for form in ("%H:%M", "%H:%M:%S"):
        try:
            at = datetime.strptime(text, form)
        except ValueError:
            continue
        return today.replace(hour=at.hour, minute=at.minute, second=at.second, microsecond=0).isoformat()
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError:
        raise QuestionError(f"--since: expected a time like 10:00 or 2026-01-31T22:30, got {text}") from None
