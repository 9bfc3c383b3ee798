"""What the command line names without loading it must be there."""

from importlib import import_module

import pytest

from ccserver.__main__ import EXIT_CODES, TELLS_ALL, VERBS


@pytest.mark.parametrize("name", sorted({*EXIT_CODES, *TELLS_ALL}))
def test_every_error_with_an_exit_code_exists(name: str) -> None:
    module, _, kind = name.rpartition(".")
    assert issubclass(getattr(import_module(module), kind), Exception)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_story_and_can_be_run(verb: str) -> None:
    module = import_module(f"ccserver.verbs.{verb}")
    assert module.STORY.strip() and callable(module.run) and callable(module.add_options)
