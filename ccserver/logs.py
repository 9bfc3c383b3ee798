"""How the daemon logs: the message is constant, the data are fields; one line an event, on standard error (the journal of
systemd adds the time). Numbers, keys and texts of customers appear only in fields whose name begins with `pii_`.
"""

import logging
import re
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, WrappedLogger

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
"""What a terminal or a reader of lines obeys. A line feed is left to the renderer, which writes it as \\n."""


class _Patient:
    """Standard error, which may be a file on a full disk: that costs lines of the log, and never a call."""

    def write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def _harmless(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Nobody who calls from outside writes lines of our log, or colours them."""
    for name, value in event.items():
        if isinstance(value, str) and _CONTROL.search(value):
            event[name] = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", value)
    return event


def configure(*, debug: bool) -> None:
    """Call once, first."""
    level = logging.DEBUG if debug else logging.INFO
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _harmless,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], bool_as_flag=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Patient())),
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    # It says the same every two seconds as long as Asterisk is away; `connectors.voice.monitor` says it once.
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)
