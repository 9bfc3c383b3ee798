"""`ccserver.toml`: lines, queues, operators, ports, reasons, tolls, and the dialplan beside it."""

from tests.unit.planted.fault import Plant, added, dialplan, fault, main

ANNA = 'extension = "1001"\n'
CUSTOMER = '[[customers]]\nname = "x"\n'
QUEUE = '[[queues]]\nname = "spare"\ntitle = "x"\n'


def relaxed(*stages: str) -> Plant:
    """Stages of the queue `orders`."""
    written = "".join(f"\n[[queues.relax]]\n{stage}\n" for stage in stages)
    return main(
        'wrap_up_s = 5\n\n[[queues]]\nname = "service"', f'wrap_up_s = 5\n{written}\n[[queues]]\nname = "service"'
    )


FAULTS = (
    # --- names and references
    fault(
        "two of one name",
        '"orders" is taken already by queues[0] on line',
        added('[[queues]]\nname = "orders"\ntitle = "x"\n'),
    ),
    fault(
        "topics that are required and not there",
        "queues[0].dispositions.required: expected codes to choose from",
        main('name = "orders"\n', 'name = "orders"\ndispositions = { required = true }\n'),
    ),
    fault(
        "a topic below none",
        "queues[0].dispositions.codes.12: 12 stands below 1, and there is no topic 1",
        main('name = "orders"\n', 'name = "orders"\ndispositions = { codes = { 12 = "x" } }\n'),
    ),
    fault(
        "a reason that is required where there are none",
        "rules.not_ready_reason_required: expected reasons to choose from",
        main("[rules.not_ready_reasons]", "not_ready_reason_required = true\n[rules.not_ready_reasons]"),
        rules__not_ready_reasons={},
    ),
    fault(
        "callbacks by no calendar",
        "callbacks.customer_calendar: there is no calendar",
        added('[callbacks]\ncustomer_calendar = "daytime"\n'),
    ),
    fault(
        "callbacks without a way out",
        "callbacks: warning: customers are to be called back, and there is no trunk by which a call can leave",
        main('name = "orders"\n', 'name = "orders"\ncallback_missed = true\n'),
    ),
    fault("no line", "lines: warning: there is no line: nobody can call", lines=[]),
    fault(
        "a queue that no flow leads to",
        "warning: no flow leads to queue spare",
        added(QUEUE),
        main('queues = ["orders", "service"]', 'queues = ["orders", "service", "spare"]'),
    ),
    fault(
        "an operator of an unknown language",
        "operators[0].language: expected a language of prompts.toml",
        main(ANNA, ANNA + 'language = "de"\n'),
    ),
    fault(
        "a supervisor of a queue that is none",
        'operators[0].supervises[0]: there is no queue "order"; did you mean "orders"?',
        main(ANNA, ANNA + 'supervises = ["order"]\n'),
    ),
    fault(
        "a rule of recording that is none",
        'operators[0].record: expected "always", "on_demand" or "never"',
        main(ANNA, ANNA + 'record = "sometimes"\n'),
    ),
    fault(
        "a line without its flow",
        'lines[0].flow: there is no flow "nordliss"; did you mean "nordlis"?',
        main('flow = "nordlis"', 'flow = "nordliss"'),
    ),
    fault(
        "a line of an unknown language",
        "lines[0].language: expected a language of prompts.toml",
        main('language = "ru"', 'language = "de"'),
    ),
    fault(
        "a line that is an operator",
        '"88007" is the extension of an operator too',
        main('"88007707999"', '"88007"'),
        main('"1001"', '"88007"'),
    ),
    fault(
        "a line of no time zone",
        'timezone: expected a time zone like "Europe/Moscow"',
        main('"Europe/Moscow"', '"Europe/Moskow"'),
    ),
    fault(
        "an operator in no such queue",
        'queues[0]: there is no queue "ordres"; did you mean "orders"?',
        main('queues = ["orders"', 'queues = ["ordres"'),
    ),
    fault(
        "an operator twice in a queue",
        'queues[1]: "orders" is named twice',
        main('queues = ["orders", "service"]', 'queues = ["orders", "orders"]'),
    ),
    fault(
        "an operator who cannot serve his queue",
        "warning: 1001 can get no contact of queue orders: needs orders at 1, has not the skill",
        main("{ orders = 8, service", "{ service"),
    ),
    fault(
        "an operator in no queue",
        "operators[0]: warning: 1001 is in no queue: will get no contact",
        main('queues = ["orders", "service"]', "queues = []"),
    ),
    fault(
        "a skill that nobody asks for",
        "warning: no queue and no flow asks for this skill",
        main("english = 7", "german = 7"),
    ),
    fault("a queue that nobody serves", "no operator is in queue spare: its callers would wait in vain", added(QUEUE)),
    # --- times, ports, addresses
    fault(
        "a phone that rings shorter than it is sought",
        "queues[0].ring_timeout_s: expected at least reach_timeout_s (30)",
        main("ring_timeout_s = 20", "ring_timeout_s = 20\nreach_timeout_s = 30"),
    ),
    fault("too few ports for sound", "rtp_end: expected at least rtp_start + 3 (10003)", main("19999", "10001")),
    fault(
        "a port taken twice",
        "port 5038 is taken already by asterisk.ami_port",
        main("sip_port = 5060", "sip_port = 5038"),
    ),
    fault(
        "SIP among the ports for sound",
        "port 12000 lies among the ports for sound (10000 to 19999)",
        main("sip_port = 5060", "sip_port = 12000"),
    ),
    fault(
        "an address that is none",
        'expected an IP address in quotes, like "127.0.0.1", got "localhost"',
        main('sip_address = "127.0.0.1"', 'sip_address = "localhost"'),
    ),
    fault(
        "an API open to the world",
        "api.address: warning: anyone who reaches this address may try tokens",
        main('address = "127.0.0.1"           #', 'address = "0.0.0.0" #'),
    ),
    fault(
        "a store of no kind",
        "store.url: expected sqlite:///<path> or postgresql://",
        added('[store]\nurl = "mysql://x/y"\n'),
    ),
    fault("a reason of our own", '"rona" is a reason that the server itself gives', main('"break"', '"rona"')),
    fault("a reason on two digits", '"break" stands on 1 already', main('"lunch"', '"break"')),
    # --- calls that leave
    fault(
        "a caller id that is no number",
        "caller_id: expected a public number of RU",
        main('name = "Нордлис"\n', 'name = "Нордлис"\ncaller_id = "12345"\n'),
    ),
    fault(
        "a prefix allowed and denied",
        '"+78" is denied too, and deny wins',
        added('[tolls]\nallow = ["+78"]\ndeny = ["+78"]\n'),
    ),
    fault(
        "an operator for no such line",
        'operators[0].line: there is no line "88001112233"',
        main(ANNA, ANNA + 'line = "88001112233"\n'),
    ),
    fault(
        "an operator who may dial nothing",
        "can dial nothing that begins with +1: tolls.allow has none of it",
        main(ANNA, ANNA + 'may_dial = ["+1"]\n'),
    ),
    fault(
        "an extension that saves lives",
        "is an emergency number: who dials it shall not reach a colleague",
        main(ANNA, 'extension = "101"\n'),
    ),
    fault("a prefix named twice", 'tolls.deny[1]: "+79" is named twice', added('[tolls]\ndeny = ["+79", "+79"]\n')),
    fault(
        "a rank in a queue that is not his",
        'operators[0].ranks.order: 1001 is not in queue "order"; did you mean "orders"?',
        main(ANNA, ANNA + "ranks = { order = 2 }\n"),
    ),
    # --- customers
    fault(
        "a customer known twice",
        'customers[1].numbers[0]: "+79161234567" is taken already by customers[0]',
        added(CUSTOMER + 'numbers = ["89161234567"]\n' + CUSTOMER + 'numbers = ["+79161234567"]\n'),
    ),
    fault(
        "too many customers",
        "customers: expected at most 10000 numbers in all, got 10001",
        added("\n".join(f'{CUSTOMER}numbers = ["+7916{n:07}"]' for n in range(10_001))),
    ),
    fault(
        "a customer of an operator who is none",
        'customers[0].agent: no operator has the extension "1099"',
        added(CUSTOMER + 'numbers = ["89161234567"]\nagent = "1099"\n'),
    ),
    fault(
        "a customer of an unknown language",
        "customers[0].language: expected a language of prompts.toml",
        added(CUSTOMER + 'numbers = ["89161234567"]\nlanguage = "de"\n'),
    ),
    # --- what contacts ask less
    fault(
        "a stage that lowers nothing",
        "queues[0].relax[1]: warning: lowers nothing: whoever may take the contact then could before",
        relaxed("after_s = 10\nskills = { orders = 0 }", "after_s = 20\nskills = { english = 2 }"),
    ),
    fault(
        "stages out of order",
        "queues[0].relax[1].after_s: expected more than 30, the time of the stage before it, got 20",
        relaxed("after_s = 30\nskills = { orders = 0 }", 'after_s = 20\nqueues = ["service"]'),
    ),
    fault(
        "help from a queue that is none",
        'queues[0].relax[0].queues[0]: there is no queue "servise"; did you mean "service"?',
        relaxed('after_s = 30\nqueues = ["servise"]'),
    ),
    fault(
        "a wait for nothing before the first stage",
        "queues[0].relax[0]: warning: nobody may take its contacts before the first stage: they wait 30 s for nothing",
        main("skills = { orders = 1 }", "skills = { orders = 10 }"),
        relaxed("after_s = 30\nskills = { orders = 1 }"),
    ),
    fault(
        "a language that is no skill",
        "queues[0].language: no language is a skill: rules.language_skills says which",
        main("skills = { orders = 1 }", 'skills = { orders = 1 }\nlanguage = "required"'),
    ),
    fault(
        "a language that nobody speaks",
        "queues[0].language: warning: who speaks kk would wait in vain: no operator of queue orders has the skills",
        main("skills = { orders = 1 }", 'skills = { orders = 1 }\nlanguage = "required"'),
        main("[rules]\n", '[rules]\nlanguage_skills = { kk = "kazakh" }\n'),
    ),
    # --- the dialplan
    fault(
        "a line that the dialplan does not know",
        "no extension in *.conf beside this file hands this number to Stasis(ccserver,line,…)",
        main('"88007707999"', '"74950000000"'),
    ),
    fault(
        "a line whose calls are taken before",
        "lines[0].number: warning: extension 88007707999 of [lines] in lines.conf takes these calls",
        dialplan("[lines]\n", "[lines]\nexten => 88007707999,1,Answer()\n"),
    ),
)
