"""Phones that speak TLS and SRTP: with our own authority verified, with a wrong name, without encryption where it is required."""

import shutil
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from asterisk_instance import free_port

from ccserver.asterisk import authority
from ccserver.asterisk.certificates import install, installed_pair, problem
from ccserver.asterisk.keypair import read_usable
from ccserver.sim.phones import PhoneError, PhoneLibrary, Sound
from tests.e2e.centre import CALLER_HZ, OPERATOR_HZ, Centre, contact_centre, offers, segments
from tests.e2e.hearing import check_recording

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def centre(
    tmp_path_factory: pytest.TempPathFactory, library: PhoneLibrary, prompts_dir: Path
) -> AsyncIterator[Centre]:
    """TLS with a certificate of our own authority, for 127.0.0.1 and no other; 1001 must encrypt, 1002 may."""
    sip = {"tls_port": free_port(), "tls_names": ["127.0.0.1", "sip.example.ru"]}
    place, encryption = tmp_path_factory.mktemp("secure"), {"1001": "required", "1002": "allowed"}
    async with contact_centre(place, library, prompts_dir, sip=sip, encryption=encryption) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def secure(centre: Centre) -> AsyncIterator[Centre]:
    """The same, tidied up after each test."""
    yield centre
    await centre.tidy()


async def ready(centre: Centre, extension: str) -> None:
    await centre.set_state(extension, "ready")
    await centre.agent(extension, "ready")


@pytest.mark.parametrize(("extension", "sound"), [("1001", "encrypted"), ("1002", "optional"), ("1002", "plain")])
async def test_a_phone_over_tls_that_verifies_us_talks_and_is_recorded(
    secure: Centre, extension: str, sound: Sound, tmp_path: Path
) -> None:
    phone = secure.secure_phone(extension, sound=sound)
    await phone.register()
    await ready(secure, extension)
    customer = await secure.waiting()
    call = await phone.wait_call()
    await call.wait_up()
    await call.hears(CALLER_HZ)
    await customer.hears(OPERATOR_HZ[extension])
    assert ("RTP/SAVP" in call.invite) == (extension == "1001")
    assert "a=crypto:1 AES_CM_128_HMAC_SHA1_80" in call.invite
    await customer.hangup()
    (contact,) = await secure.finished(recorded=True)
    assert segments(contact)[-1] == ("talk", "caller_left")
    await check_recording(secure, contact, tmp_path)


async def test_a_phone_that_does_not_encrypt_is_refused_where_it_must_and_the_log_says_why(secure: Centre) -> None:
    phone = secure.secure_phone("1001", sound="plain")
    await phone.register()
    await ready(secure, "1001")
    customer = await secure.waiting()
    await secure.agent("1001", "unreachable")
    await customer.hangup()
    (contact,) = await secure.finished()
    assert offers(contact)[0] == ("1001", "unreachable")
    assert 'event="phone refused the sound" agent=1001 reason="encryption is required of this operator' in secure.log()


async def test_a_phone_that_registers_without_tls_where_its_sound_must_be_encrypted_is_offered_nothing(
    secure: Centre,
) -> None:
    await secure.phone("1001")
    await secure.set_state("1001", "ready")
    await secure.agent("1001", "unreachable")
    customer = await secure.waiting()
    await secure.contact("waiting")
    await customer.hangup()
    (contact,) = await secure.finished()
    assert offers(contact) == []


@pytest.mark.parametrize(("version", "good"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
async def test_tls_below_1_2_is_refused(secure: Centre, version: str, good: bool) -> None:
    context = ssl.create_default_context(cafile=authority.authority_pair(secure.state_dir).certificate)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what the test is about
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    port = secure.asterisk.instance.sip.tls_port
    with socket.create_connection(("127.0.0.1", port)) as bare, nullcontext() if good else pytest.raises(ssl.SSLError):
        context.wrap_socket(bare, server_hostname="127.0.0.1").close()


async def show(centre: Centre, names: list[str], now: datetime) -> None:
    """Asterisk shows phones a certificate of our authority for these names, made at that time."""
    place = centre.state_dir / "other"
    shutil.copytree(centre.state_dir / "certificates", place / "certificates")
    (place / "certificates" / "server.pem").unlink()
    (place / "certificates" / "server.key").unlink()
    authority.ensure(place, names, timedelta(0), now)
    made, installed = authority.server_pair(place), installed_pair(centre.asterisk.instance)
    shutil.copy(made.certificate, installed.certificate)
    shutil.copy(made.key, installed.key)
    shutil.rmtree(place)
    await centre.asterisk.cli("module reload res_pjsip.so")


@pytest.mark.parametrize(
    ("names", "age_days", "told"),
    [(["sip.example.com"], 0, "is for sip.example.com, not for"), (["127.0.0.1"], 500, "expired on")],
    ids=["another name", "expired"],
)
async def test_a_phone_that_verifies_refuses_a_wrong_certificate_and_registers_once_it_is_mended(
    secure: Centre, names: list[str], age_days: int, told: str
) -> None:
    early = secure.secure_phone("1001")
    await early.register()
    before = secure.secure_phone("1002")
    await before.register()
    await before.close()  # and nobody after it speaks over its connection
    await show(secure, names, datetime.now(UTC) - timedelta(days=age_days))
    with pytest.raises(PhoneError, match="registration refused: 503"):
        await secure.secure_phone("1002").register()
    plain = await secure.phone("1003")
    assert plain.is_registered, "a certificate keeps nobody away who does not ask for it"
    instance = secure.asterisk.instance
    assert "Asterisk does not have it yet" in problem(instance, datetime.now(UTC))
    assert told in read_usable(installed_pair(instance)).flaw(["127.0.0.1"], datetime.now(UTC), 21)
    assert install(instance, datetime.now(UTC)) == installed_pair(instance)
    await secure.asterisk.cli("module reload res_pjsip.so")
    phone = secure.secure_phone("1002")
    await phone.register()
    await ready(secure, "1001")
    customer = await secure.waiting()
    call = await early.wait_call()
    await call.wait_up()
    await call.hears(CALLER_HZ)  # over the connection that was there before any of this
    await customer.hangup()
    await secure.finished()
    assert problem(instance, datetime.now(UTC)) == ""
    assert (await secure.get("/api/status"))["alarms"] == []
