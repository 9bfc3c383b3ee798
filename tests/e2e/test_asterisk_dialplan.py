"""What a caller or an operator meets in Asterisk before the daemon acts, while it is away, and where its files go."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from asterisk_calls import LINE, Ari, booted, dialplan_with_callers, ended, until

from ccserver.asterisk.rescue import rescue
from ccserver.asterisk.settings import AMI_USER, Instance


@pytest.fixture
def dialplans_dir(tmp_path: Path) -> Path:
    return dialplan_with_callers(tmp_path / "dialplans")


async def test_recorded_sounds_play_in_russian_and_in_english(tmp_path: Path, dialplans_dir: Path) -> None:
    async with booted(tmp_path, dialplans_dir=dialplans_dir) as (asterisk, ari):
        await ari.connect("test")
        for language in ("ru", "en"):
            extension = f"Local/{language}@recorded-sounds"
            await ari("POST", "channels", endpoint=extension, context="caller-listens", extension="s", priority=1)
            assert (await ari.event("StasisStart"))["args"] == [language, "SUCCESS", "SUCCESS"]
        assert "WARNING" not in asterisk.log()


async def test_a_call_to_a_line_reaches_its_application_unanswered(tmp_path: Path, dialplans_dir: Path) -> None:
    async with booted(tmp_path, dialplans_dir=dialplans_dir) as (asterisk, ari):
        await ari.connect("ccserver")
        line = await ari.call("caller-listens")
        start = await ari.event("StasisStart")
        channel = start["channel"]
        assert isinstance(channel, dict)
        assert start["args"] == ["line", LINE, ""]
        assert channel["id"] == line
        assert channel["state"] in ("Down", "Ring")
        assert channel["caller"]["number"] == "+78123334455"
        assert channel["language"] == "ru"
        await ari("DELETE", f"channels/{line}")
        story = await ended(asterisk, line)
        assert [event.event for event in story] == ["CHAN_START", "HANGUP", "CHAN_END"]
        assert {(event.context, event.exten) for event in story} == {("lines", LINE)}
        assert story[1].hangup_cause() is not None


async def test_a_feature_code_reaches_the_application_as_it_was_dialled(tmp_path: Path, dialplans_dir: Path) -> None:
    async with booted(tmp_path, dialplans_dir=dialplans_dir) as (_, ari):
        await ari.connect("ccserver")
        for code in ("*11", "*12", "*123", "*13"):
            endpoint = f"Local/{code}@operators"
            await ari("POST", "channels", endpoint=endpoint, context="caller-listens", extension="s", priority=1)
            start = await ari.event("StasisStart")
            assert start["args"] == ["code", code]


async def test_a_feature_code_is_answered_with_an_apology_while_the_daemon_is_away(
    tmp_path: Path, dialplans_dir: Path
) -> None:
    async with booted(tmp_path, dialplans_dir=dialplans_dir) as (asterisk, ari):
        ids = {"channelId": "phone", "otherChannelId": "code"}
        where = {"context": "caller-listens", "extension": "s", "priority": 1}
        await ari("POST", "channels", endpoint="Local/*11@operators", **where, **ids)
        story = await ended(asterisk, "code")
        assert [event.event for event in story] == ["CHAN_START", "ANSWER", "HANGUP", "CHAN_END"]
        assert (story[1].context, story[1].exten) == ("feature-code", "T")


async def test_an_application_that_takes_a_call_and_does_nothing_loses_it_to_the_fallback(
    tmp_path: Path, dialplans_dir: Path
) -> None:
    dialplan = dialplans_dir / "lines.conf"
    dialplan.write_text(dialplan.read_text().replace("TIMEOUT(absolute)=15", "TIMEOUT(absolute)=1"))
    async with booted(tmp_path, dialplans_dir=dialplans_dir) as (_, ari):
        await ari.connect("ccserver")
        line = await ari.call("caller-listens")
        for _ in range(2):
            start = await ari.event("StasisStart")
            assert isinstance(start["channel"], dict)
            assert (start["channel"]["id"], start["args"][:2]) == (line, ["line", LINE])


async def test_a_caller_waits_unanswered_while_the_daemon_is_away_and_is_handed_over_when_it_returns(
    tmp_path: Path, dialplans_dir: Path
) -> None:
    async with booted(tmp_path, dialplans_dir=dialplans_dir) as (asterisk, ari):
        watch = Ari(asterisk, ari.session)
        await watch.connect("watch")
        line = await ari.call("caller-listens")
        await watch.in_fallback(line)
        await ari.connect("ccserver")
        assert (await ari.event("StasisStart"))["args"] == ["line", LINE, "", "", ""]
        await ari("DELETE", f"channels/{line}")
        assert "ANSWER" not in {event.event for event in await ended(asterisk, line)}


@pytest.mark.parametrize(
    ("caller", "number", "own_prompts"),
    [("caller-confirms", "78123334455", False), ("caller-dials-another-number", "79161234567", True)],
)
async def test_when_the_daemon_stays_away_the_caller_is_asked_for_a_callback(
    tmp_path: Path, dialplans_dir: Path, caller: str, number: str, own_prompts: bool
) -> None:
    async with booted(tmp_path, dialplans_dir=dialplans_dir, fallback_tries=1) as (asterisk, ari):
        if own_prompts:
            # Short ones, so that the test is; the beep is said in every language.
            prompts = asterisk.instance.prompts_dir / "ru"
            prompts.mkdir()
            beep = asterisk.root.path / "usr/share/asterisk/sounds/ru/beep.wav"
            for name in ("fallback-callback-offer", "fallback-thanks"):
                shutil.copy(beep, prompts / f"{name}.wav")
        line = await ari.call(caller)
        callbacks = asterisk.instance.callbacks_dir
        (spooled,) = await until(callbacks, lambda: list(callbacks.glob("*.json")))
        request = json.loads(spooled.read_text())
        assert (request["number"], request["dnis"], request["ani"]) == (number, LINE, "+78123334455")
        assert (request["uniqueid"], request["language"]) == (line, "ru")
        await ari("DELETE", f"channels/{line}")  # what follows is only good-byes
        story = await ended(asterisk, line)
        (answered,) = [event.at for event in story if event.event == "ANSWER"]
        assert story[0].at < answered < request["at"] < story[-1].at
        assert list(callbacks.glob(".*")) == []


async def test_the_rescue_sends_a_waiting_caller_to_the_fallback_and_leaves_a_conversation_alone(
    tmp_path: Path, dialplans_dir: Path
) -> None:
    async with booted(tmp_path, dialplans_dir=dialplans_dir, fallback_tries=1) as (asterisk, ari):
        await ari.connect("ccserver")
        waiting, talking = await ari.enter_line(), await ari.enter_line()
        await ari("POST", "bridges/talk", type="mixing")
        for leg in ("operator", "ringing"):
            await ari("POST", "channels/create", endpoint="Local/s@operator-answers/n", app="ccserver", channelId=leg)
            await ari.event("StasisStart")
        await ari("POST", "bridges/talk/addChannel", channel=[talking, "operator"])
        await ari("POST", "channels/operator/dial")
        while (await ari.event("Dial"))["dialstatus"] != "ANSWER":
            pass
        await ari.disconnect()
        watch = Ari(asterisk, ari.session)
        await watch.connect("watch")
        done = await asyncio.to_thread(rescue, asterisk.instance, asterisk.secrets)
        assert (done.to_fallback, done.hung_up) == ((waiting,), ("ringing",))
        assert set(done.left_talking) == {talking, "operator"}
        await watch.in_fallback(waiting)
        bridge = await ari("GET", "bridges/talk")
        assert isinstance(bridge, dict)
        assert set(bridge["channels"]) == {talking, "operator"}


async def test_mixmonitor_over_ami_writes_both_legs_where_we_tell_it_to(tmp_path: Path, dialplans_dir: Path) -> None:
    async with booted(tmp_path, dialplans_dir=dialplans_dir) as (asterisk, ari):
        await ari.connect("ccserver")
        channel = await ari.enter_line()
        name = (await ari("GET", f"channels/{channel}"))["name"]  # type: ignore[index]
        raw = asterisk.instance.raw_recordings_dir
        answer = await ami(
            asterisk.instance,
            asterisk.secrets.ami_password,
            {
                "Action": "MixMonitor",
                "Channel": str(name),
                "File": str(raw / "c1.wav"),
                "Options": f"r({raw}/c1-in.wav)t({raw}/c1-out.wav)",
            },
        )
        assert "Response: Success" in answer
        await ari("POST", f"channels/{channel}/play", media=["sound:beep"], lang="en")
        await ari.event("PlaybackFinished")
        await ari("DELETE", f"channels/{channel}")
        await until(raw, lambda: (raw / "c1.wav").stat().st_size > 44 if (raw / "c1.wav").exists() else False)
        assert {path.name for path in raw.iterdir()} == {"c1.wav", "c1-in.wav", "c1-out.wav"}
        assert (raw / "c1-out.wav").read_bytes()[:4] == b"RIFF"


async def ami(instance: Instance, password: str, action: dict[str, str]) -> str:
    """Log in, do one thing, return the answer to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", instance.ami_port)
    try:
        async with asyncio.timeout(10):
            for request in ({"Action": "Login", "Username": AMI_USER, "Secret": password}, action):
                lines = [f"{key}: {value}" for key, value in {**request, "ActionID": request["Action"]}.items()]
                writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
                answer = ""
                while f"ActionID: {request['Action']}" not in answer:
                    answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        return answer
    finally:
        writer.close()
        await writer.wait_closed()
