"""`POST /api/reload`: the files become what runs, or nothing changes and the answer says why."""

import asyncio
from collections.abc import Iterable, Sequence

from aiohttp import web

from ccserver.api.errors import BadInput, Silent
from ccserver.api.messages import (
    ChangeReply,
    ConfigProblemReply,
    ErrorReply,
    NoQuery,
    Problem,
    ReloadRefusedReply,
    ReloadReply,
)
from ccserver.api.operations import Answer, Operation, json_reply, query_of
from ccserver.api.sources import Configuration
from ccserver.config.errors import ConfigErrors
from ccserver.config.errors import Problem as Mistake

ANSWER_WITHIN_S = 30.0


class ReloadRoutes:
    """Carries the wish in and the answer out."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def operations(self) -> Sequence[Operation]:
        """For the router and the document."""
        return (
            Operation(
                method="POST",
                path="/api/reload",
                serve=self.reload,
                summary="Take up the configuration as the files say it now, all of it or nothing",
                answers={
                    200: Answer("In force; or there was nothing to change", ReloadReply),
                    409: Answer("Refused, nothing has changed; `problems` says why", ReloadRefusedReply),
                    503: Answer("It takes long; it may still come into force", ErrorReply),
                },
            ),
        )

    async def reload(self, request: web.Request) -> web.Response:
        """Answers when the plan is in the journal."""
        query_of(request, NoQuery)
        if (await request.read()).strip() not in (b"", b"{}"):
            raise BadInput("no body is expected: what is taken up are the files")
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                done = await self._configuration.reload()
        except TimeoutError:
            raise Silent(f"not reloaded within {ANSWER_WITHIN_S:.0f} s; it may still come into force") from None
        except ConfigErrors as refused:
            count = len(refused.problems)
            why = Problem(
                f"nothing has changed: {count} problem{'' if count == 1 else 's'}, the first: {refused.problems[0]}"
            )
            return json_reply(ReloadRefusedReply(why, _told(refused.problems)), 409)
        changes = tuple(ChangeReply(change.field, change.what) for change in done.changes)
        return json_reply(ReloadReply(done.configuration, changes, _told(done.warnings)))


def _told(problems: Iterable[Mistake]) -> tuple[ConfigProblemReply, ...]:
    return tuple(ConfigProblemReply(each.file, each.line, each.field, each.message) for each in problems)
