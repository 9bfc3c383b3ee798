"""The connector of lookups: other computers are asked over HTTP for callers who wait, and never keep one waiting too long.

Reading guide: `connector` asks, and tells what came of it; `answer` makes sense of what was said; `desk` is the memory of one
lookup: answers that are still good, questions under way, and whether it is asked at all after it has failed so often.
"""

from ccserver.connectors.lookups.connector import Lookups

__all__ = ["Lookups"]
