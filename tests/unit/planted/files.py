"""Files that cannot be read, or do not say what their form demands."""

from tests.unit.planted.fault import added, directory, fault, flow, gone, main, written

DEEP = "x = " + "[" * 3000 + "]" * 3000 + "\n"

FAULTS = (
    fault("no ccserver.toml", "ccserver.toml: there is no such file", gone("ccserver.toml")),
    fault("a flow that is a directory", "spare.toml: is not a file", directory("spare.toml")),
    fault("what is no TOML", "ccserver.toml:6:6: not valid TOML: ", main("[node]", "[node")),
    fault("a table that never ends", "spare.toml:1:3: not valid TOML: ", written("spare.toml", "[a\n")),
    fault("what is no text", "spare.toml:2: expected UTF-8 text, found byte 0xff", written("spare.toml", b"a=1\n\xff")),
    fault("a file too big to be one", "is larger than 4 MB", written("spare.toml", b"#" * (4 * 1024 * 1024 + 1))),
    fault("a number that nobody can read", "cannot be read as TOML", written("spare.toml", "x = " + "9" * 5000)),
    fault("arrays without end", "nested too deeply", written("spare.toml", DEEP)),
    fault("a flow that no step can name", "the file's name is the flow's: expected Latin", written("1 flow.toml", "")),
    fault("an override of nothing", 'override: "queues[9].title": there is no such field', **{"queues[9].title": "x"}),
    # --- the form of a file
    fault("an unknown key", 'sip_prot: unknown key; did you mean "sip_port"?', main("sip_port", "sip_prot")),
    fault("a missing key", "lines[0].name: is missing: expected a text", main('name = "Нордлис"\n', "")),
    fault(
        "a value of another type",
        "ring_timeout_s: expected seconds above 0",
        main("ring_timeout_s = 20", 'ring_timeout_s = "20"'),
    ),
    fault(
        "a table that is none",
        "api: expected a table, got 1",
        main("[api]\naddress", "[apis]\naddress"),
        main("[node]", "api = 1\n[node]"),
    ),
    fault(
        "an array that is none",
        "queues: expected an array, got",
        main('queues = ["orders", "service"]', 'queues = "orders"'),
    ),
    fault("a table of other things", "skills: expected a table, got", main("skills = { orders = 1 }", "skills = 1")),
    fault(
        "a step that is none",
        "steps.x: expected a table, got 1",
        flow('start = "greeting"', 'start = "greeting"\nsteps.x = 1'),
    ),
    fault("a step that does nothing", "steps.x.do: is missing: expected one of", added("[steps.x]\n", "nordlis.toml")),
    fault("a step of no kind", "steps.greeting.do: expected one of", flow('do = "say"', 'do = "sing"')),
    fault(
        "a secret that is none",
        "expected a password in quotes, at most 128 characters, no blank at either end, got another value",
        added('[[trunks]]\nname = "north"\ntitle = "x"\nhost = "192.0.2.10"\nuser = "u"\npassword = " x"\n'),
    ),
)
