"""The only import of pjsua2 (pjproject's Python module, built by `script/build-pjsua2`); it has no types."""

import warnings
from typing import Any

with warnings.catch_warnings():
    # Python >= 3.12: "builtin type SwigPyPacked has no __module__ attribute", for each of SWIG's own types.
    warnings.filterwarnings("ignore", "builtin type .* has no __module__ attribute", DeprecationWarning)
    import pjsua2

pj: Any = pjsua2
