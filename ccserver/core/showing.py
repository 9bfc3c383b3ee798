"""What an operator learns of a contact by his phone before he hears the customer: what it shows, and what is whispered to him."""

from ccserver.core.contact import Contact
from ccserver.core.floor import Floor
from ccserver.core.flow import filled
from ccserver.core.plan import Queue


def shown(floor: Floor, contact: Contact, queue: Queue) -> str:
    """`Нордлис · Заказы`, as `rules.phone_shows` has it; of the configuration's names alone, so no caller can write there."""
    line = floor.plan_of(contact).lines.get(contact.line)
    if line is None:
        return ""
    names = {"brand": line.brand or line.name, "line": line.name, "queue": queue.title, "source": line.source}
    text = floor.rules.phone_shows
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text.strip()


def whispered(floor: Floor, contact: Contact) -> tuple[str, ...]:
    """What the line says, then what the queue says; empty: he hears the customer at once."""
    assert contact.place is not None
    plan = floor.plan_of(contact)
    line, queue = plan.lines.get(contact.line), plan.queues[contact.place.queue]
    return filled(contact.variables, (*(line.whisper if line else ()), *queue.whisper))
