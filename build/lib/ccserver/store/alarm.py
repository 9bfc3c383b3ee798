"""An alarm as whoever watches the daemon sees it: what is wrong, in one line, and since when."""

from msgspec import Struct


class Alarm(Struct, frozen=True):
    """Raised while something is wrong, gone when it is right again."""

    text: str
    since: float
    """UTC epoch seconds."""
