"""All that a configuration may have to say: the prompts of its file, and the words that the variables of its flows need."""

from ccserver import spoken
from ccserver.audio.prompts import PromptBook, load
from ccserver.config.journeys import spoken as items_of
from ccserver.config.load import Config


def book_of(config: Config) -> PromptBook:
    """Raises `PromptsInvalid`."""
    steps = (step for flow in config.plan.flows.values() for step in flow.steps.values())
    items = {item for step in steps for _, item in items_of(step) if spoken.is_variable(item)}
    return load(config.prompts.file).with_words({item.partition(":")[0] for item in items})
