"""Asterisk, set up and run by us: found, configured, started and stopped, without knowing anything about calls.

Everybody who wants an Asterisk comes here: `script/server`, the command line, the systemd units and the tests. The
order in which things happen is the order to read them in:

- `settings`   one `Instance`: where it keeps its files, which ports it listens on
- `secrets`    passwords, made once and kept in the state directory; `access` writes what a person connects with
- `render`     the templates in asterisk-conf/ become configuration files with the instance's values in them
- `root`       which Asterisk: the installed one, or a root directory made by `script/asterisk-root`
- `namespace`  how that one process sees its files: the same absolute paths inside its root as outside
- `process`    start it, know that it has booted, ask it something, stop it
- `files`      whole files, readable by the user Asterisk runs as
- `cel`        read what it wrote about each channel while nobody listened; `history` turns that into facts for reconciling
- `rescue`     send callers to the fallback dialplan when the daemon is gone for good
- `callback_agi`  runs inside Asterisk, not here: takes a callback request from a caller whom the daemon cannot serve
- `cli`        `ccserver asterisk …`
- `errors`     everything that can be wrong, each in one line

The daemon never starts or stops Asterisk: calls outlive it.
"""
