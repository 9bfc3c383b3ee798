"""What a contact asks of an agent: at first, and when it has waited longer.

A place holds what is asked now and the stages to come; each is a timer that moves the contact into the line of those who ask for
as little. Nothing else of its place changes, and an agent who is idle when it asks for less gets it in that very step. While
a phone rings for it nothing is asked; what became due meanwhile is done when it waits again.
"""

from collections.abc import Iterable, Iterator
from typing import TypedDict

from msgspec.structs import replace

from ccserver.core.contact import Contact, Place
from ccserver.core.floor import Floor
from ccserver.core.ids import Language
from ccserver.core.matching import Need
from ccserver.core.plan import Plan, Queue
from ccserver.core.steps import SkillNeed, Stage


class Asking(TypedDict):
    """The fields of a new place."""

    needs: tuple[SkillNeed, ...]
    stages: tuple[Stage, ...]
    relax_at: float | None


def asking(
    plan: Plan,
    queue: Queue,
    language: Language,
    now: float,
    *,
    skills: Iterable[SkillNeed] = (),
    relax: tuple[Stage, ...] = (),
) -> Asking:
    """What a contact in this language asks that begins to wait now; `skills` and `relax` are those of the step that led here."""
    spoken, stages = speaking(plan, queue, language), relax or queue.relax
    if spoken is not None and queue.language == "preferred":
        content = Stage(queue.language_wait_s, (SkillNeed(spoken.skill, 0),))
        stages = tuple(sorted((*stages, content), key=lambda stage: stage.after_s))
    needs = highest((*queue.skills, *skills, *((spoken,) if spoken else ())))
    return Asking(needs=tuple(sorted(needs)), stages=stages, relax_at=now + stages[0].after_s if stages else None)


def speaking(plan: Plan, queue: Queue, language: Language) -> SkillNeed | None:
    """The skill that it is to speak with the contact; None: nobody asks for it."""
    skill = plan.rules.language_skills.get(language)
    return SkillNeed(skill, queue.language_level) if skill is not None and queue.language != "any" else None


def highest(needs: Iterable[SkillNeed]) -> tuple[SkillNeed, ...]:
    """Each skill once, at the highest level that is asked."""
    levels: dict[str, SkillNeed] = {}
    for need in needs:
        if need.skill not in levels or levels[need.skill].level < need.level:
            levels[need.skill] = need
    return tuple(levels.values())


def eased(need: Need, stage: Stage) -> Need:
    """What is asked after the stage: never more than before it."""
    lowered = {each.skill: each.level for each in stage.skills}
    skills = (SkillNeed(each.skill, min(each.level, lowered.get(each.skill, each.level))) for each in need.skills)
    also = {*need.also, *stage.queues} - {need.queue}
    return replace(need, skills=tuple(each for each in skills if each.level > 0), also=tuple(sorted(also)))


def outlook(place: Place, now: float) -> Iterator[tuple[float, Need]]:
    """What it asks now, and what it will ask in so many seconds if nobody has come by then."""
    yield 0.0, Need.of(place)
    if place.agent is not None and place.only_until is None:
        return  # him, and for ever
    alone_until = place.only_until or now
    need = replace(Need.of(place), agent=None)
    if place.agent is not None:
        yield max(0.0, alone_until - now), need
    for stage in place.stages:
        need = eased(need, stage)
        at = (place.relax_at or now) + stage.after_s - place.stages[0].after_s
        yield max(0.0, at - now, alone_until - now), need


def relax(floor: Floor, contact: Contact) -> Contact:
    """The next stage is reached: the contact stands with those who ask for as little, in the same order."""
    place = contact.place
    assert place is not None and place.relax_at is not None
    stage, *rest = place.stages
    need = eased(Need.of(place), stage)
    place = replace(
        place,
        needs=need.skills,
        also=need.also,
        stages=tuple(rest),
        relax_at=place.relax_at + rest[0].after_s - stage.after_s if rest else None,
        eased=_told(Need.of(place), need, stage.after_s) or place.eased,
    )
    return floor.keep(replace(contact, place=place))


def _told(before: Need, after: Need, seconds: float) -> str:
    """For people: what it asks less than before; empty: nothing."""
    levels = {need.skill: need.level for need in after.skills}
    less = [
        f"{need.skill} from {levels[need.skill]}" if need.skill in levels else f"without {need.skill}"
        for need in before.skills
        if levels.get(need.skill) != need.level
    ]
    others = [f"operators of {name}, too" for name in after.also if name not in before.also]
    return f"after {seconds:g} s {', '.join([*less, *others])}" if less or others else ""
