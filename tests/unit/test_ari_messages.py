"""Messages of a web socket become typed events; what is no event is told apart, and nothing raises."""

from datetime import UTC, datetime

import pytest

from ccserver.ari.messages import (
    EVENT_TYPES,
    ChannelDestroyed,
    ChannelDtmfReceived,
    ContactStatusChange,
    Dial,
    StasisStart,
    Unreadable,
    decode_event,
)

# As Asterisk 22.10.1 sent it.
STASIS_START = (
    '{"type":"StasisStart","timestamp":"2026-11-22T10:04:48.578+0000","args":["agent","a1","a1.2"],"channel":{"id":"a1",'
    '"name":"Local/answer@ari-test-00000005;1","state":"Down","protocol_id":"x@y","caller":{"name":"Anna","number":"'
    '+79161234567"},"connected":{"name":"","number":""},"accountcode":"","dialplan":{"context":"ari-test","exten":"answer",'
    '"priority":1,"app_name":"Stasis","app_data":"ccserver,x,y"},"creationtime":"2026-11-22T13:04:48.577+0300",'
    '"language":"ru","channelvars":{"CC":"call-77"}},"asterisk_id":"02:fc:00:00:00:01","application":"ccserver"}'
)
DESTROYED = (
    '{"type":"ChannelDestroyed","timestamp":"2026-11-22T10:04:50.687+0000","cause":17,"cause_txt":"User busy",'
    '"tech_cause":486,"channel":{"id":"a1","name":"PJSIP/1001-0000","state":"Down"},"application":"ccserver"}'
)


def test_a_start_of_a_call_carries_everything_the_connector_needs() -> None:
    event = decode_event(STASIS_START)
    assert isinstance(event, StasisStart)
    assert event.application == "ccserver"
    assert event.args == ("agent", "a1", "a1.2")
    assert event.replace_channel is None
    channel = event.channel
    assert (channel.id, channel.state, channel.is_up, channel.language) == ("a1", "Down", False, "ru")
    assert (channel.caller.name, channel.caller.number) == ("Anna", "+79161234567")
    assert (channel.dialplan.context, channel.dialplan.exten) == ("ari-test", "answer")
    assert channel.protocol_id == "x@y"
    assert channel.channelvars == {"CC": "call-77"}


def test_times_are_epoch_seconds_whatever_zone_asterisk_writes() -> None:
    event = decode_event(STASIS_START)
    assert isinstance(event, StasisStart)
    assert event.at == datetime(2026, 11, 22, 10, 4, 48, 578000, tzinfo=UTC).timestamp()
    assert event.channel.created_at == datetime(2026, 11, 22, 10, 4, 48, 577000, tzinfo=UTC).timestamp()


def test_a_hangup_keeps_the_isdn_and_the_sip_cause() -> None:
    event = decode_event(DESTROYED)
    assert isinstance(event, ChannelDestroyed)
    assert (event.cause, event.cause_txt, event.tech_cause) == (17, "User busy", 486)


def test_fields_that_asterisk_leaves_out_have_neutral_values() -> None:
    head = '"timestamp":"2026-11-22T10:04:50.687+0000","application":"a","channel":{"id":"1","name":"n","state":"Up"}'
    dtmf = decode_event('{"type":"ChannelDtmfReceived","digit":"#","duration_ms":120,' + head + "}")
    assert isinstance(dtmf, ChannelDtmfReceived)
    assert (dtmf.digit, dtmf.channel.is_up, dtmf.channel.channelvars) == ("#", True, {})
    dial = decode_event('{"type":"Dial","dialstatus":"ANSWER",' + head.replace("channel", "peer") + "}")
    assert isinstance(dial, Dial)
    assert (dial.dialstatus, dial.peer.id, dial.caller) == ("ANSWER", "1", None)


def test_a_registration_names_the_endpoint_and_its_reachability() -> None:
    event = decode_event(
        '{"type":"ContactStatusChange","timestamp":"2026-11-22T10:04:50.687+0000","application":"ccserver-devices",'
        '"endpoint":{"technology":"PJSIP","resource":"1001","state":"online","channel_ids":[]},'
        '"contact_info":{"uri":"sip:1001@127.0.0.1:5","contact_status":"NonQualified","aor":"1001"}}'
    )
    assert isinstance(event, ContactStatusChange)
    assert (event.endpoint.resource, event.contact_info.contact_status) == ("1001", "NonQualified")


def test_a_type_nobody_knows_is_told_apart_from_a_malformed_one() -> None:
    unknown = decode_event('{"type":"ChannelLevitated","timestamp":"2026-11-22T10:04:50.687+0000","application":"a"}')
    assert isinstance(unknown, Unreadable)
    assert (unknown.kind, unknown.known_type) == ("ChannelLevitated", False)
    malformed = decode_event('{"type":"StasisEnd","timestamp":"2026-11-22T10:04:50.687+0000","application":"a"}')
    assert isinstance(malformed, Unreadable)
    assert (malformed.kind, malformed.known_type) == ("StasisEnd", True)
    assert "channel" in malformed.reason


@pytest.mark.parametrize(
    "message",
    [
        "",
        "null",
        "[]",
        "{}",
        '"StasisStart"',
        '{"type":3}',
        '{"type":null}',
        b'{"type":"StasisStart","application":"\xff\xfe"}',
        b"\x00\x01",
        STASIS_START.replace("2026-11-22T10", "yesterday"),
        STASIS_START.replace(".578+0000", ".578"),  # a time without a zone could be any time
        STASIS_START.replace('"2026-11-22T10:04:48.578+0000"', "1795341813.7"),
        STASIS_START.replace('["agent","a1","a1.2"]', '"agent"'),
        '{"type":"StasisStart","more":' + "[" * 100_000,
    ],
)
def test_nonsense_is_unreadable_and_never_raises(message: str | bytes) -> None:
    assert isinstance(decode_event(message), Unreadable)


def test_a_message_cut_anywhere_is_unreadable() -> None:
    for length in range(len(STASIS_START)):
        assert isinstance(decode_event(STASIS_START[:length]), Unreadable)


def test_the_events_the_voice_side_lives_on_are_all_known() -> None:
    assert {
        "StasisStart",
        "StasisEnd",
        "ChannelDestroyed",
        "ChannelStateChange",
        "Dial",
        "PlaybackFinished",
    } <= EVENT_TYPES
    assert len(EVENT_TYPES) == 27
