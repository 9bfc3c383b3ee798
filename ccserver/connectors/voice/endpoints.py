"""What Asterisk is told of an operator's phone: three objects, pushed over ARI into astdb by `phones`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ccserver import ari
from ccserver.config.schema import Encryption
from ccserver.core.ids import AgentId

CODECS = "alaw,ulaw,g722"
REGISTRATION_MIN_S = 30
"""Who asks for less, to keep his mapping open, is told to ask for this."""
RTP_KEEPALIVE_S = 15
HOLD_TIMEOUT_S = 3600
"""A phone on hold sends nothing; one that is never taken off hold is gone."""

KINDS = ("auth", "aor", "endpoint")
"""In the order in which they are pushed: each refers to those before it."""

_ENCRYPTION: Mapping[Encryption, Mapping[str, str]] = {
    "off": {"media_encryption": "no"},
    # Offered, and done without when the phone cannot.
    "allowed": {"media_encryption": "sdes", "media_encryption_optimistic": "yes"},
    # To a phone that registered without TLS there is no way, for the keys would travel in clear.
    "required": {"media_encryption": "sdes", "media_encryption_optimistic": "no", "transport": "tls"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneRules:
    """What the configuration says of all operators' phones."""

    encryption: Mapping[AgentId, Encryption] = field(default_factory=dict)
    """Of each; who is missing has none."""
    udp_only: bool = True
    media_address: str = ""
    """Where sound is listened for; empty: on every address."""
    domain: str = ""
    """Of callers' addresses as phones see them; empty: our own address, which says how the network inside looks."""
    qualify_s: int = 0
    registration_s: int = 3600
    rtp_timeout_s: int = 0


def objects(agent: AgentId, password: str, rules: PhoneRules) -> dict[str, dict[str, str]]:
    """By kind, what is to be pushed."""
    return {
        "auth": {"auth_type": "userpass", "username": agent, "password": password},
        "aor": _aor(rules),
        "endpoint": _endpoint(agent, rules),
    }


def same(wanted: Mapping[str, str], told: Iterable[ari.ConfigField]) -> bool:
    """Whether an object in Asterisk has all that is wanted; it tells some things in other words."""
    there = {each.attribute: _plain(each.value) for each in told}
    return all(there.get(name) == _plain(value) for name, value in wanted.items() if name != "disallow")


def why_no_sound(encryption: Encryption) -> str:
    """In words for a person: what a phone that answers 488 cannot do."""
    if encryption == "required":
        return "encryption is required of this operator, and the phone does not encrypt (SRTP with SDES)"
    return f"the phone insists on encryption (here it is {encryption}), or knows no codec of {CODECS}"


def _aor(rules: PhoneRules) -> dict[str, str]:
    """One phone at a time; one that lost its power without a word, or came back through another mapping of its NAT, is
    replaced by the next registration."""
    return {
        "max_contacts": "1",
        "remove_existing": "yes",
        "support_path": "yes",
        "minimum_expiration": str(REGISTRATION_MIN_S),
        "default_expiration": str(rules.registration_s),
        "maximum_expiration": str(rules.registration_s),
        "qualify_frequency": str(rules.qualify_s),
    }


def _endpoint(agent: AgentId, rules: PhoneRules) -> dict[str, str]:
    """`allow` must be there: an endpoint without it cannot be read back from astdb.

    Where a phone's transfer key leads (REFER) says TRANSFER_CONTEXT, for all phones at once (extensions.conf): an endpoint in
    astdb that has `set_var` cannot be changed any more.
    """
    return {
        "aors": agent,
        "auth": agent,
        "context": "operators",
        # The one transport there is. With several, the one by which the phone registered.
        **({"transport": "udp"} if rules.udp_only else {"transport": ""}),
        **({"media_address": rules.media_address, "bind_rtp_to_media_address": "yes"} if rules.media_address else {}),
        "from_domain": rules.domain,
        "identify_by": "auth_username,username",
        "disallow": "all",
        "allow": CODECS,
        "direct_media": "no",
        "allow_transfer": "yes",
        "allow_subscribe": "no",
        # Else a number that is none gets 484, as if more digits were to come, and not 404.
        "allow_overlap": "no",
        "rewrite_contact": "yes",
        "rtp_symmetric": "yes",
        "force_rport": "yes",
        "ice_support": "no",
        "rtp_keepalive": str(RTP_KEEPALIVE_S),
        "rtp_timeout": str(rules.rtp_timeout_s),
        "rtp_timeout_hold": str(HOLD_TIMEOUT_S),
        "send_connected_line": "no",
        "sdp_session": "ccserver",
        "callerid": f'"{agent}" <{agent}>',
        **_ENCRYPTION[rules.encryption.get(agent, "off")],
    }


def _plain(value: str) -> str:
    return {"yes": "true", "no": "false"}.get(value, value.strip("()").replace("|", ","))
