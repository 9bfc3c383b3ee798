"""`[[trunks]]` as Asterisk reads them: `pjsip_trunks.conf`, written from the configuration beside the rendered templates.

An endpoint has its trunk's name, so that a console says whose call it shows. It is found by the address a call comes from
(`identify`) or, where we register, by the mark in the address that we registered (`line`); never by what a caller writes.
"""

import hashlib
import re
import ssl
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ccserver.asterisk.errors import SetupError
from ccserver.config.schema import Trunk

FILE = "pjsip_trunks.conf"
CA_FILE = "trunks-ca.pem"
CONTEXT = "from-trunk"
"""Where its calls enter the dialplan: dialplans/trunks.conf."""
FULL_VARIABLE = "CC_FULL_"
"""Before the trunk's name: the global variable in which that dialplan counts calls that were too many."""
RELOAD = "ccserver asterisk render && ccserver asterisk console core reload"
"""Asterisk takes what is configured, and no call ends by it."""
VERSION_FIELD = "callerid_tag"
"""Of the endpoint; says which configuration Asterisk has read. It is for the likes of that, and no phone ever sees it."""

REGISTRATION_TRIES = 1_000_000_000
"""Asterisk's default is to give up for ever after ten."""
REFUSED_RETRY_MIN_S = 60
"""A wrong password tried too often locks an account, or us out."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_HEAD = """\
; Written from [[trunks]] of ccserver.toml by `ccserver asterisk render`: edit that, not this.
"""

Fields = list[tuple[str, object]]


def trunks_conf(trunks: Sequence[Trunk]) -> str:
    """The whole file; the transports that it names are in `transports.conf`."""
    parts = [_HEAD]
    for trunk in trunks:
        parts.append(_section(trunk.name, [*_endpoint(trunk), (VERSION_FIELD, version_of(trunk))]))
        parts += [_section(trunk.name, fields) for fields in _companions(trunk)]
    return "\n".join(parts)


def version_of(trunk: Trunk) -> str:
    """Of everything that Asterisk is told of the trunk: another one means that it has not read it yet."""
    whole = "\n".join(_section(trunk.name, fields) for fields in (_endpoint(trunk), *_companions(trunk)))
    return hashlib.sha256(whole.encode()).hexdigest()[:16]


def trunk_authorities(trunks: Iterable[Trunk], directory: Path) -> str:
    """Who may certify TLS trunks: whom the system trusts, and the trunks' own `ca_file`, relative to `directory`."""
    system = ssl.get_default_verify_paths().cafile
    files = [Path(system)] if system and Path(system).is_file() else []
    files += [directory / trunk.ca_file for trunk in trunks if trunk.ca_file]
    try:
        return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    except OSError as error:
        raise SetupError(f"{error.filename}: {error.strerror}") from None


def _endpoint(trunk: Trunk) -> Fields:
    fields: Fields = [
        ("type", "endpoint"),
        ("transport", trunk.transport),
        ("context", CONTEXT),
        # Not by the user in From: whoever knows a trunk's name could write that.
        ("identify_by", "ip"),
        ("aors", trunk.name),
        ("disallow", "all"),
        ("allow", ",".join(trunk.codecs)),
        ("dtmf_mode", trunk.dtmf),
        ("direct_media", "no"),
        ("rtp_symmetric", "yes"),
        ("force_rport", "yes"),
        ("send_connected_line", "no"),
        ("allow_transfer", "no"),
        # Else a number that is none gets 484, as if more digits were to come, and not 404.
        ("allow_overlap", "no"),
        ("trust_id_inbound", _yes(trunk.trust_identity)),
        ("trust_id_outbound", _yes(trunk.send_identity)),
        ("send_pai", _yes(trunk.send_identity)),
        ("media_encryption", "sdes" if trunk.srtp else "no"),
        ("language", "ru"),
        ("tone_zone", "ru"),
        ("set_var", f"CC_TRUNK={trunk.name}"),
        ("set_var", f"CC_TRUNK_CHANNELS={trunk.channels}"),
        ("set_var", f"CC_TRUNK_DID={trunk.did}"),
    ]
    fields += [("outbound_auth", trunk.name)] if trunk.user else []
    fields += [("from_user", trunk.from_user)] if trunk.from_user else []
    fields += [("from_domain", trunk.from_domain)] if trunk.from_domain else []
    return fields + _by_proxy(trunk)


def _companions(trunk: Trunk) -> Iterator[Fields]:
    """The endpoint's other objects, all of its name."""
    yield [("type", "aor"), ("contact", _uri(trunk)), ("qualify_frequency", trunk.qualify_s), *_by_proxy(trunk)]
    if trunk.user:
        auth: Fields = [("type", "auth"), ("auth_type", "userpass"), ("username", trunk.user)]
        yield [*auth, ("password", trunk.password), *([("realm", trunk.realm)] if trunk.realm else [])]
    if trunk.addresses or not trunk.register:
        matches = ",".join(trunk.addresses or (trunk.host,))
        yield [("type", "identify"), ("endpoint", trunk.name), ("match", matches)]
    if trunk.register:
        yield _registration(trunk)


def _registration(trunk: Trunk) -> Fields:
    user = trunk.from_user or trunk.user
    return [
        ("type", "registration"),
        ("transport", trunk.transport),
        ("outbound_auth", trunk.name),
        ("server_uri", _uri(trunk)),
        ("client_uri", client_uri(trunk)),
        ("contact_user", trunk.contact_user or user),
        ("endpoint", trunk.name),
        ("line", "yes"),
        ("expiration", trunk.expires_s),
        ("retry_interval", trunk.retry_s),
        ("fatal_retry_interval", trunk.retry_s),
        ("forbidden_retry_interval", max(trunk.retry_s, REFUSED_RETRY_MIN_S)),
        ("max_retries", REGISTRATION_TRIES),
        # The default spreads hundreds of registrations over ten seconds; ours are a handful.
        ("max_random_initial_delay", 1),
        ("auth_rejection_permanent", "no"),
        *_by_proxy(trunk),
    ]


def client_uri(trunk: Trunk) -> str:
    """Who registers, as Asterisk's log names him."""
    return f"sip:{trunk.from_user or trunk.user}@{trunk.from_domain or _host(trunk)}"


def _by_proxy(trunk: Trunk) -> Fields:
    return [("outbound_proxy", f"sip:{trunk.outbound_proxy};lr")] if trunk.outbound_proxy else []


def _uri(trunk: Trunk) -> str:
    transport = "" if trunk.transport == "udp" else f";transport={trunk.transport}"
    return f"sip:{_host(trunk)}:{trunk.sip_port}{transport}"


def _host(trunk: Trunk) -> str:
    return f"[{trunk.host}]" if ":" in trunk.host else trunk.host


def _yes(wanted: bool) -> str:
    return "yes" if wanted else "no"


def _section(name: str, fields: Fields) -> str:
    return f"[{name}]\n" + "".join(f"{key} = {_written(name, key, str(value))}\n" for key, value in fields)


def _written(name: str, key: str, value: str) -> str:
    """The value as Asterisk reads it back: a semicolon would begin a comment, a line break another setting."""
    if _CONTROL.search(value):
        raise SetupError(f"trunk {name}: {key} may hold no line break and no other control character")
    return value.replace(";", r"\;")
