"""By which trunk a call leaves: those that fit it now, and the best of them. Explained, for the CDR tells it."""

from collections.abc import Iterator

from msgspec import Struct

from ccserver.core.contact import Contact
from ccserver.core.floor import Floor
from ccserver.core.plan import Trunk


class Choice(Struct, frozen=True):
    """The trunk to try next (None: there is no other), and why, with what speaks against each of the others."""

    trunk: Trunk | None
    why: str
    flaws: tuple[str, ...]


def choose(floor: Floor, contact: Contact) -> Choice:
    """The lowest priority first, of equal ones the one that carries least."""
    trunks = floor.plan_of(contact).trunks.values()
    unfit = dict(_unfit(floor, contact))
    flaws = tuple(f"{name}: {flaw}" for name, flaw in unfit.items() if flaw)
    fit = [trunk for trunk in trunks if trunk.name not in unfit]
    if not fit:
        return Choice(None, "", flaws)
    best = min(fit, key=lambda trunk: (trunk.priority, len(floor.carried.get(trunk.name, ())), trunk.name))
    why = f"priority {best.priority}, of {len(fit)} that fit"
    return Choice(best, "; ".join((why, *flaws)), flaws)


def _unfit(floor: Floor, contact: Contact) -> Iterator[tuple[str, str]]:
    """Trunks that cannot take the call now, and why; without a word those that had their chance."""
    for trunk in floor.plan_of(contact).trunks.values():
        link = floor.trunks.get(trunk.name)
        if trunk.name in contact.tried:
            yield trunk.name, ""
        elif not trunk.outbound:
            yield trunk.name, "takes no calls that leave"
        elif trunk.lines and contact.line not in trunk.lines:
            yield trunk.name, f"does not let us show {contact.line}"
        elif link is None or not link.usable:
            yield trunk.name, link.reason if link and link.reason else "is not usable"
        elif len(floor.carried.get(trunk.name, ())) >= trunk.channels:
            yield trunk.name, f"all {trunk.channels} channels taken"
