"""Where flows and the dialplan meet."""

from tests.unit.planted.fault import Plant, fault, step, written


def lent(more: str = "", context: str = "own") -> Plant:
    """A step that hands the caller over."""
    return step(f'do = "dialplan"\ncontext = "{context}"\nnext = "menu"\nfailed = "menu"\n{more}')


OWN = written("own.conf", "[own]\nexten => s,1,NoOp()\n same => n,Return()\n")

FAULTS = (
    fault(
        "a flow that the dialplan names and that is none",
        'own.conf:2: warning: there is no flow "nordlys"; did you mean "nordlis"?',
        written("own.conf", "[own]\nexten => 100,1,Gosub(to-flow,s,1(nordlys))\n"),
    ),
    fault(
        "a context that is none",
        'steps.a.context: warning: no file *.conf beside ccserver.toml has the context owm; did you mean "own"?',
        lent(context="owm"),
        OWN,
    ),
    fault(
        "an extension that its context has not",
        "steps.a.extension: warning: the context own has no extension 100; it has s",
        lent('extension = "100"\n'),
        OWN,
    ),
    fault(
        "a context that never returns",
        "steps.a.context: warning: the context own has no Return()",
        lent(),
        written("own.conf", "[own]\nexten => s,1,Playback(beep)\n same => n,Hangup()\n"),
    ),
    fault(
        "a variable sent to the dialplan that is set nowhere",
        "steps.a.send[0]: variable order is set nowhere in the flow",
        lent('send = ["order"]\n'),
        OWN,
    ),
    fault(
        "a secret sent to the dialplan",
        "steps.b.send[0]: variable card is secret: it must not stand in Asterisk's log",
        OWN,
        step(
            'do = "collect"\nprompts = ["no-input"]\nvariable = "card"\nsecret = true\nnext = "b"\notherwise = "menu"\n'
            '[steps.b]\ndo = "dialplan"\ncontext = "own"\nsend = ["card"]\nnext = "menu"\nfailed = "menu"\n'
        ),
    ),
    fault(
        "a variable of the server's own that the dialplan may set",
        "steps.a.take[0]: ani is the server's own",
        lent('take = ["ani"]\n'),
        OWN,
    ),
)
