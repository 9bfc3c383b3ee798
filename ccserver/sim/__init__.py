"""A simulated world around a contact centre: whoever calls and whoever answers. It sees the centre as they do, from outside.

Needs what `script/setup --tests` or `--demo` installs (pjsua2, numpy); nothing else in the package imports it.
"""
