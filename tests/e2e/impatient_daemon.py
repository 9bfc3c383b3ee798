"""`ccserver run` that tries every second, and not every half minute, whether a recording can be kept now."""

import sys

from ccserver.__main__ import main
from ccserver.audio import archive

archive.RETRY_S = 1.0
sys.exit(main(["run"]))
