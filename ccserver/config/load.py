"""Reads a configuration whole: every file read, every value checked, everything cross-checked, then frozen, or nothing at all.

`load` is called by `run`, by a reload and by every command that needs to know how the server is set up.
"""

import os
import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from ccserver.config import flowfile, places, schema
from ccserver.config.answercheck import check_answers
from ccserver.config.callcheck import check_calls
from ccserver.config.conform import conform
from ccserver.config.crosscheck import check_main, check_served, check_settings
from ccserver.config.customercheck import check_customers, read_rows
from ccserver.config.dialplan import check_dialplan
from ccserver.config.dialplancheck import check_dialplan_steps, sent_to
from ccserver.config.errors import ConfigErrors, Problem, Severity, in_order, shown, shown_path
from ccserver.config.findings import OVERRIDE, Findings
from ccserver.config.flowcheck import check_journeys, check_steps
from ccserver.config.freeze import frozen_plan
from ccserver.config.functioncheck import read_functions
from ccserver.config.lookupcheck import check_asking, check_lookups
from ccserver.config.network import effective_encryption
from ccserver.config.prompts import Catalogue, check_house_prompts, read_catalogue
from ccserver.config.relaxcheck import check_relaxing
from ccserver.config.schedules import check_schedules
from ccserver.config.source import Document, KeyPath, field_path, read
from ccserver.config.surveycheck import check_surveys
from ccserver.config.transfercheck import check_transfers
from ccserver.config.trunkcheck import check_trunks, with_passwords
from ccserver.core.plan import REFUSALS, Plan

NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})
_FLOW_NAME = re.compile(schema.NAME)
_FILE_NAME = "the file's name is the flow's: expected Latin letters, digits, - or _, beginning with a letter"
_NO_REFUSAL = "the file's name is the flow's, and this one means a refused call: choose another"


class Config(Struct, frozen=True, kw_only=True):
    """Everything that was configured, checked; the core sees only `plan`."""

    file: Path
    """`ccserver.toml`, absolute; the flows and the dialplan lie beside it."""
    state_dir: Path
    plan: Plan
    asterisk: schema.Asterisk
    sip: schema.Sip
    encryption: Mapping[str, schema.Encryption]
    """Of each operator's sound."""
    trunks: tuple[schema.Trunk, ...]
    """With their passwords; what decides about calls is in `plan.trunks`."""
    api: schema.Api
    store_url: str
    """`sqlite:///<absolute path>` or `postgresql://…`, for the store to choose a driver. May hold a password."""
    recordings_dir: Path
    prompts: Catalogue
    """`prompts.file` is prompts.toml; human recordings lie beside it."""
    limits: schema.Limits
    warnings: tuple[Problem, ...] = ()

    @property
    def dialplans_dir(self) -> Path:
        """The directory of the configuration."""
        return self.file.parent


def load(
    path: Path | None = None, *, state_dir: Path | None = None, overrides: Mapping[str, object] = NO_OVERRIDES
) -> Config:
    """Read the configuration in the directory (or `ccserver.toml`) `path`; raises `ConfigErrors` with all that is wrong.

    Without `path` and `state_dir` the environment decides (`places`). `overrides` replaces values of `ccserver.toml` by
    field, as errors name them: `{"asterisk.http_port": 18088, "queues[0].ring_timeout_s": 3}`; checked like the file.
    """
    found = Findings()
    config = read_all(path, state_dir=state_dir, overrides=overrides, found=found)
    if config is None or found.any_error:
        raise ConfigErrors(problem for problem in found.problems if problem.severity is Severity.ERROR)
    return config


def read_all(
    path: Path | None, *, state_dir: Path | None, overrides: Mapping[str, object], found: Findings
) -> Config | None:
    """As `load`, but errors and warnings go to `found`; None after an error."""
    file = (places.main_file(path) if path is not None else places.config_file()).absolute()
    main_document = _read(file, found)
    flow_documents = _read_flows(file, found)
    main = None
    if main_document is not None:
        main_document = _overridden(main_document, overrides, found)
        main = conform(main_document, schema.Main, found)
    flows: dict[str, flowfile.FlowFile] = {}
    for name, document in flow_documents.items():
        flow = conform(document, flowfile.FlowFile, found)
        if flow is not None:
            flows[name] = flow
    if main is None or main_document is None:
        return None
    trunks = with_passwords(main.trunks, main_document, found)
    plan, catalogue = _cross_checked(main, main_document, flows, flow_documents, found)
    if plan is None or catalogue is None or found.any_error:
        return None
    state = (state_dir if state_dir is not None else places.state_dir()).absolute()
    warnings = in_order(problem for problem in found.problems if problem.severity is Severity.WARNING)
    return Config(
        file=file,
        state_dir=state,
        plan=plan,
        asterisk=main.asterisk,
        sip=_with_absolute_paths(main.sip, file.parent),
        encryption=effective_encryption(main),
        trunks=trunks,
        api=main.api,
        store_url=store_url(main.store.url, state),
        recordings_dir=state / Path(main.recordings.directory),
        prompts=catalogue,
        limits=main.limits,
        warnings=warnings,
    )


def _cross_checked(
    main: schema.Main,
    document: Document,
    flows: Mapping[str, flowfile.FlowFile],
    flow_documents: Mapping[str, Document],
    found: Findings,
) -> tuple[Plan | None, Catalogue | None]:
    """Checks from the narrow to the wide: what rests on something wrong is not checked, its errors would only mislead."""
    check_settings(main, document, found)
    check_trunks(main, document, found)
    check_lookups(main, document, found)
    rows = read_rows(main, document, found)
    functions = read_functions(flows, flow_documents, found)
    plan = frozen_plan(main, flows, functions, (row.customer for row in rows))
    for name, flow in plan.flows.items():
        check_steps(flow, flow_documents[name], plan.flows, found)
    check_calls(plan.flows, flow_documents, found)
    # normpath, not resolve: errors should name the file in the words of the configuration.
    prompts_file = Path(os.path.normpath(document.file.parent / main.prompts.file))
    catalogue = read_catalogue(prompts_file, document, ("prompts", "file"), found)
    if catalogue is None or len(flows) < len(flow_documents) or found.any_error:
        return None, None
    check_main(main, plan, document, catalogue, found)
    check_customers(main, rows, plan, document, catalogue, found)
    check_dialplan((line.number for line in main.lines), document, found, trunks=bool(main.trunks))
    check_house_prompts(catalogue, document, main.rules.not_ready_reasons, found)
    check_served(main, plan, document, found)
    check_relaxing(plan, document, found)
    check_surveys(main, plan, document, flow_documents, found)
    check_journeys(plan, flow_documents, catalogue, found, sent_to(document.file.parent, plan, found))
    check_transfers(plan, flow_documents, found)
    check_dialplan_steps(plan, document.file.parent, flow_documents, found)
    check_asking(plan, document, flow_documents, found)
    if not found.any_error:
        check_schedules(main, plan, document, flow_documents, found)
        check_answers(plan, flow_documents, found)
    return plan, catalogue


def _read(file: Path, found: Findings) -> Document | None:
    try:
        return read(file)
    except ConfigErrors as errors:
        found.take(errors)
        return None


def _read_flows(main_file: Path, found: Findings) -> dict[str, Document]:
    """The flows by name; files that begin with a dot are an editor's."""
    try:
        files = sorted(main_file.parent.glob("[!.]*.toml"))
    except OSError as error:
        if not found.any_error:  # otherwise it has been said of ccserver.toml
            problem = Problem(file=shown_path(main_file.parent), message=f"cannot be read: {error.strerror}")
            found.problems.append(problem)
        return {}
    flows: dict[str, Document] = {}
    for file in files:
        if file.name == main_file.name:
            continue
        if not _FLOW_NAME.match(file.stem) or file.stem in REFUSALS:
            message = _NO_REFUSAL if file.stem in REFUSALS else _FILE_NAME
            found.problems.append(Problem(file=shown_path(file), message=message))
            continue
        document = _read(file, found)
        if document is not None:
            flows[file.stem] = document
    return flows


def _overridden(document: Document, overrides: Mapping[str, object], found: Findings) -> Document:
    data: Any = deepcopy(document.data)
    given: set[KeyPath] = set()
    for field, value in overrides.items():
        try:
            *parents, last = field_path(field)
            inner = data
            for parent in parents:
                inner = inner.setdefault(parent, {}) if isinstance(inner, dict) else inner[parent]
            inner[last] = str(value) if isinstance(value, Path) else value
        except (ValueError, LookupError, TypeError):
            message = "there is no such field: expected one like asterisk.http_port or queues[0].ring_timeout_s"
            found.problems.append(Problem(file=OVERRIDE, field=shown(field), message=message))
        else:
            given.add(field_path(field))
    return replace(document, data=data, overridden=frozenset(given))


def _with_absolute_paths(sip: schema.Sip, directory: Path) -> schema.Sip:
    def absolute(name: str) -> str:
        return str(directory / name) if name else ""

    return replace(sip, certificate=absolute(sip.certificate), private_key=absolute(sip.private_key))


def store_url(url: str, state: Path) -> str:
    if not url:
        return f"sqlite:///{state / 'store.sqlite'}"
    scheme, _, path = url.partition(":///")
    return f"sqlite:///{state / path}" if scheme == "sqlite" else url
