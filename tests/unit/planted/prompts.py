"""What is said, and cannot be."""

from tests.unit.planted.fault import fault, flow, gone, main, prompt, written

FAULTS = (
    fault("no file of prompts", "prompts.file: expected the file of prompts, but", gone("prompts.toml")),
    fault("a file of prompts that is no TOML", "prompts.toml:1:", written("prompts.toml", "[a\n")),
    fault(
        "prompts without a voice", "voices: expected a table [voices.<language>]", written("prompts.toml", "x = 1\n")
    ),
    fault(
        "a prompt that is none",
        'there is no prompt "nordlis-greting" in prompts.toml; did you mean',
        flow('"nordlis-greeting"', '"nordlis-greting"'),
    ),
    fault(
        "a feature code that is mute",
        "operators hear it when they dial *11",
        prompt("[agent-ready]", "[no-agent-ready]"),
    ),
    fault("a reason that is mute", "the operator hears it after *121", prompt("[reason-1]", "[no-reason-1]")),
    fault(
        "a recording that is announced without words",
        "who may be recorded is told it",
        main("[rules]", '[recordings]\nannouncement = "none"\n\n[rules]'),
    ),
    fault(
        "a queue that tells what has no words",
        "who waits in the queue is told it",
        main("wrap_up_s = 5", 'wrap_up_s = 5\ntell_every_s = 30\nmessages = ["none"]'),
    ),
)
