"""Lookups, and the steps that ask them."""

from tests.unit.planted.fault import Plant, added, fault, step, written


def lookup(text: str = "", url: str = "https://shop.example.ru/orders/{ani}") -> Plant:
    """A lookup `shop`; more of it after its address."""
    return added(f'[[lookups]]\nname = "shop"\nurl = "{url}"\n{text}')


ASKED = step('do = "lookup"\nlookup = "shop"\nfound = "menu"\nnot_found = "menu"\nfailed = "menu"\n')
TOTAL = '[lookups.fields]\ntotal = { at = "total", kind = "money" }\n'

FAULTS = (
    fault(
        "a lookup that is none",
        'steps.a.lookup: there is no lookup "shop"; there are none',
        ASKED,
    ),
    fault("a lookup that nobody asks", "lookups[0]: warning: no flow asks the lookup shop", lookup()),
    fault(
        "an address without a computer",
        "lookups[0].url: is no address: it has no host",
        lookup(url="https:///orders"),
        ASKED,
    ),
    fault(
        "a variable of an address that is set nowhere",
        "steps.a.lookup: variable order is set nowhere in the flow",
        lookup(url="https://shop/{order}"),
        ASKED,
    ),
    fault(
        "a secret in a file that is not there",
        "shop.token: No such file or directory",
        lookup('secret_file = "shop.token"\n'),
        ASKED,
    ),
    fault(
        "a secret of two lines",
        "the file must hold the secret and nothing else, on one line",
        lookup('secret_file = "shop.token"\n'),
        written("shop.token", "one\ntwo\n"),
        ASKED,
    ),
    fault(
        "a secret in two places",
        "lookups[0].secret_variable: there is a secret_file already",
        lookup('secret_file = "shop.token"\nsecret_variable = "CCSERVER_PLANTED"\n'),
        written("shop.token", "one\n"),
        ASKED,
    ),
    fault(
        "a secret that the environment has not",
        "lookups[0].secret_variable: warning: CCSERVER_PLANTED is not set here",
        lookup('secret_variable = "CCSERVER_PLANTED"\n'),
        ASKED,
    ),
    fault(
        "a header that is the secret's",
        "lookups[0].headers: Authorization is what the secret stands in",
        lookup('secret_file = "shop.token"\nheaders = { authorization = "x" }\n'),
        written("shop.token", "one\n"),
        ASKED,
    ),
    fault(
        "a secret that travels in clear",
        "lookups[0].url: warning: the secret travels in clear",
        lookup('secret_file = "shop.token"\n', url="http://shop.example.ru/"),
        written("shop.token", "one\n"),
        ASKED,
    ),
    fault(
        "a field of the server's own name",
        "lookups[0].fields.ani: ani is the server's own",
        lookup('[lookups.fields]\nani = { at = "phone" }\n'),
        ASKED,
    ),
    fault(
        "a default of another kind",
        'lookups[0].fields.total.default: expected a money as its kind says, got "much"',
        lookup(TOTAL.replace('"money"', '"money", default = "much"')),
        ASKED,
    ),
    fault(
        "a field that is said as what it is not",
        "steps.b.prompts[0]: total is a money for its lookup: as date only date is said",
        lookup(TOTAL),
        step(
            'do = "lookup"\nlookup = "shop"\nfound = "b"\nnot_found = "menu"\nfailed = "menu"\n'
            '[steps.b]\ndo = "say"\nprompts = ["date:{total}"]\nnext = "menu"\n'
        ),
    ),
    fault(
        "a long silence",
        "steps.a: warning: a caller may hear nothing for 20 s: expected music with it",
        lookup("timeout_s = 20\n"),
        ASKED,
    ),
)
