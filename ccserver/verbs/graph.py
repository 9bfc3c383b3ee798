"""`ccserver graph`: a flow as a drawing."""

import argparse
from pathlib import Path

from ccserver.config.errors import QuestionError
from ccserver.config.graph import dot_text, flow_named, svg
from ccserver.config.load import load

STORY = """
Draw a flow: its steps, what is said, which key leads where. Without --svg it prints Graphviz's DOT text, which needs no
Graphviz; the page shows the same with the callers of this moment.

  ccserver graph nordlis
  ccserver graph nordlis --svg nordlis.svg
"""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which flow, and where to."""
    parser.add_argument("flow", metavar="FLOW", help="its name: the file's without .toml")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw it into this file, with Graphviz")


def run(args: argparse.Namespace) -> int:
    """DOT text on stdout, or a file with the drawing."""
    config = load(args.config)
    dot = dot_text(flow_named(config.plan, args.flow), config.plan, config.prompts, {})
    if args.svg is None:
        print(dot, end="")
        return 0
    try:
        args.svg.write_bytes(svg(dot))
    except OSError as error:
        raise QuestionError(f"{args.svg}: cannot be written: {error.strerror}") from None
    print(args.svg)
    return 0
