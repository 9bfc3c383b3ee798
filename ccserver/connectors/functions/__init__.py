"""The connector of functions of the admin's own: they run in processes beside the daemon, which can be ended.

Reading guide: `connector` asks the processes and tells what came of it; what a process does is in `ccserver.functions.worker`.
"""

from ccserver.connectors.functions.connector import Functions

__all__ = ["Functions"]
