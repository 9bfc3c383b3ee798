"""Flows that call one another."""

from tests.unit.planted.fault import Plant, fault, step, written


def chain(length: int) -> tuple[Plant, ...]:
    """Flows that each call the next."""
    last = [written(f"chain{length}.toml", 'start = "a"\n[steps.a]\ndo = "return"\n')]
    links = (
        f'start = "a"\n[steps.a]\ndo = "call"\nflow = "chain{n + 1}"\nnext = "b"\n[steps.b]\ndo = "return"\n'
        for n in range(1, length)
    )
    return (*(written(f"chain{n}.toml", text) for n, text in enumerate(links, 1)), *last)


FAULTS = (
    fault(
        "a flow that is none",
        'steps.a.flow: there is no flow "velmyra"; did you mean "velmira"?',
        step('do = "call"\nflow = "velmyra"\nnext = "menu"\n'),
    ),
    fault(
        "a step that the other flow has not",
        'steps.a.step: the flow velmira has no step "menuu"; did you mean "menu"?',
        step('do = "goto"\nflow = "velmira"\nstep = "menuu"\n'),
    ),
    fault(
        "a flow that calls itself",
        "steps.a.flow: the flow nordlis calls itself",
        step('do = "call"\nflow = "nordlis"\nnext = "menu"\n'),
    ),
    fault("flows that call too deeply", "start: flows call one another 9 deep from here, 8 are allowed", *chain(10)),
)
