"""What is pushed of an operator's phone, at a real Asterisk: it takes every form of it, and tells it back as the same."""

from pathlib import Path

from asterisk_instance import asterisk_instance

from ccserver.ari import AriClient
from ccserver.asterisk.settings import ARI_USER
from ccserver.connectors.voice.endpoints import KINDS, PhoneRules, objects, same
from ccserver.core.ids import AgentId

AGENT = AgentId("1001")
FORMS = {
    "plain": PhoneRules(),
    "asked after": PhoneRules(qualify_s=30, registration_s=120, rtp_timeout_s=60),
    "by any way": PhoneRules(udp_only=False, media_address="127.0.0.1"),
    "may encrypt": PhoneRules(udp_only=False, encryption={AGENT: "allowed"}),
    "must encrypt": PhoneRules(udp_only=False, encryption={AGENT: "required"}),
    "behind NAT": PhoneRules(domain="sip.example.ru"),
}


async def test_every_form_is_taken_told_back_as_the_same_and_not_taken_for_another(tmp_path: Path) -> None:
    async with (
        asterisk_instance(tmp_path) as asterisk,
        AriClient(asterisk.instance.ari_url, ARI_USER, asterisk.secrets.ari_password) as ari,
    ):
        forms = {name: objects(AGENT, "secret", rules) for name, rules in FORMS.items()}
        for name, pushed in forms.items():
            for kind in KINDS:
                await ari.put_dynamic_config(kind, AGENT, pushed[kind])
            told = {kind: await ari.get_dynamic_config(kind, AGENT) for kind in KINDS}
            alike = [other for other, form in forms.items() if all(same(form[kind], told[kind]) for kind in KINDS)]
            assert alike == [name]
        changed = objects(AGENT, "another", FORMS["behind NAT"])
        assert not same(changed["auth"], told["auth"])
        log = asterisk.log()
    assert "ERROR" not in log
