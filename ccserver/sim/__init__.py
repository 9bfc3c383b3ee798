"""A simulated world around a contact centre: whoever calls and whoever answers. It sees the centre as they do, from outside.

Reading guide, from decisions to sound:

    world          who calls when and does what; how an operator works. Pure: seeded numbers, no clock, no I/O
    conversations  what is said, from conversations.toml
    voices         texts become sound, once (espeak-ng, flite)
    centre         what everybody knows of the centre: access, and the live picture of its API
    talk           two who take turns, on a real call, by listening to one another
    callers        a caller's phone
    operators      an operator's phone
    demo           all of them at once, until told to stop
    phones         SIP phones on pjproject; the tests use them, too

Needs what `script/setup --demo` installs (pjsua2, numpy); nothing in the package but the verb `ccserver demo` imports it.
"""
