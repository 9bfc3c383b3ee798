"""`ccserver prompts`: what callers and operators hear."""

import argparse
import sys

from ccserver.audio import prompts, synthesis
from ccserver.audio.wording import book_of
from ccserver.config.load import load
from ccserver.config.running import read_running

FAILED = 1
STORY = """
What callers and operators hear. The texts are in prompts.toml; a human recording is <language>/<prompt>.wav beside it,
everything else is spoken by a synthetic voice.

  ccserver prompts build        make what is new or has changed
  ccserver prompts list         every prompt with its text
  ccserver prompts check        what is not built, and recordings that no prompt asks for
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """What to do with them."""
    parser.add_argument("action", choices=("build", "list", "check"))


def run(args: argparse.Namespace) -> int:
    """Build, list or check them, with the words that the flows' variables are said with."""
    config = load(args.config)
    book = book_of(config)
    directory = config.state_dir / "prompts"
    if args.action == "build":
        running = read_running(config.state_dir)
        keep = ("/".join(reversed(field.rpartition(".")[::2])) for field in running.prompts) if running else ()
        report = synthesis.build(book, config.prompts.file.parent, directory, frozenset(keep))
        print(
            f"{report.synthesised} synthesised, {report.recorded} from recordings, {report.unchanged} unchanged, "
            f"{report.removed} removed, {report.asterisk} are Asterisk's own"
        )
        return 0
    resolver = prompts.PromptResolver(book, directory)
    if args.action == "list":
        for name in sorted(book.prompts):
            for language in book.languages:
                print(f"{language}  {name:32} {book.text(name, language)}")
        for language, words in book.words.items():
            for name, text in words.items():
                print(f"{language}  {name:32} {text}")
        return 0
    missing = resolver.unbuilt()
    strays = prompts.stray_recordings(book, config.prompts.file.parent)
    for key in missing:
        print(f"not built: {key}", file=sys.stderr)
    for stray in strays:
        print(f"no prompt of this name: {stray}", file=sys.stderr)
    if not missing and not strays:
        print(f"{len(book.prompts)} prompts, all built")
    return FAILED if missing or strays else 0
