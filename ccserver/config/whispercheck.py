"""What is whispered to operators exists, in the language of each who may hear it. Asked by `crosscheck`."""

from ccserver.config.errors import listed
from ccserver.config.findings import Findings
from ccserver.config.prompts import Catalogue
from ccserver.config.source import Document
from ccserver.core.plan import Plan


def check_whispers(plan: Plan, document: Document, catalogue: Catalogue, found: Findings) -> None:
    """`whisper` of lines and queues."""
    by_line = (("lines", each.whisper, plan.operators.values()) for each in plan.lines.values())
    by_queue = (
        ("queues", each.whisper, [who for who in plan.operators.values() if each.name in who.queues])
        for each in plan.queues.values()
    )
    for table in (by_line, by_queue):
        for position, (name, prompts, hearing) in enumerate(table):
            languages = sorted({who.language for who in hearing if who.language in catalogue.languages})
            for inner, prompt in enumerate(prompts):
                flaws = dict.fromkeys(flaw for each in languages if (flaw := catalogue.flaw(prompt, each)))
                if flaws:
                    found.error(document, (name, position, "whisper", inner), listed(flaws))
