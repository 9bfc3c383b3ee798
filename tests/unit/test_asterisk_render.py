"""Templates, secrets, access.json and the instance file: what lies in the state directory before Asterisk starts."""

import stat
from pathlib import Path

import msgspec
import pytest

from ccserver.asterisk.access import access_path, read_access, write_access
from ccserver.asterisk.errors import SecretsError, SetupError, TemplateError
from ccserver.asterisk.render import default_templates_dir, prepare, render, render_text
from ccserver.asterisk.root import AsteriskRoot
from ccserver.asterisk.secrets import ensure_secrets, load_secrets, secrets_path
from ccserver.asterisk.settings import Instance, load_instance

ROOT = AsteriskRoot(Path("/somewhere"), Path("/usr/sbin/asterisk"), "22.10.1")


def instance_in(tmp_path: Path, **settings: object) -> Instance:
    return Instance(state_dir=tmp_path / "state", dialplans_dir=tmp_path, **settings)  # type: ignore[arg-type]


def test_an_unknown_placeholder_names_file_and_line(tmp_path: Path) -> None:
    template = tmp_path / "http.conf"
    with pytest.raises(TemplateError, match=rf"^{template}:3: unknown placeholder @HTTP_PROT@, known are HTTP_PORT$"):
        render_text(template, "[general]\nbindport = @HTTP_PORT@\nbindport = @HTTP_PROT@\n", {"HTTP_PORT": "8088"})


def test_a_value_that_would_begin_a_comment_is_refused_with_file_and_line(tmp_path: Path) -> None:
    template = tmp_path / "ari.conf"
    with pytest.raises(TemplateError, match=r"ari\.conf:1: @SECRET@ may not hold a semicolon or a line break"):
        render_text(template, "password = @SECRET@\n", {"SECRET": "a;b"})


def test_an_address_with_an_at_sign_is_no_placeholder(tmp_path: Path) -> None:
    text = "; ask admin@example.org, or @home\n"
    assert render_text(tmp_path / "x.conf", text, {}) == text


def test_every_template_of_the_checkout_renders_with_the_values_we_have(tmp_path: Path) -> None:
    instance = instance_in(tmp_path, http_port=18088, sip_address="192.0.2.7", sip_port=5070)
    secrets = prepare(instance, ROOT, ["1001"])
    written = {path.name: path.read_text() for path in instance.etc_dir.iterdir()}
    generated = {"transports.conf", "pjsip_trunks.conf"}
    assert set(written) == {path.name for path in default_templates_dir().glob("*.conf")} | generated
    assert "bindport = 18088" in written["http.conf"]
    assert "bind = 192.0.2.7:5070" in written["transports.conf"]
    assert f"password = {secrets.ari_password}" in written["ari.conf"]
    assert f'#include "{tmp_path}/*.conf"' in written["extensions.conf"]


def test_rendering_again_touches_nothing_and_a_template_that_went_takes_its_file_along(tmp_path: Path) -> None:
    instance = instance_in(tmp_path)
    secrets = prepare(instance, ROOT, ())
    assert render(instance, secrets, default_templates_dir()) == []
    stale = instance.etc_dir / "queues.conf"
    stale.write_text("[general]\n")
    assert render(instance, secrets, default_templates_dir()) == [stale]
    assert not stale.exists()


def test_everything_with_a_password_in_it_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    instance = instance_in(tmp_path)
    secrets = prepare(instance, ROOT, ["1001"])
    write_access(instance, secrets, lines=[], operators=["1001"], http_url="http://127.0.0.1:8080")
    closed = [*instance.etc_dir.iterdir(), secrets_path(instance.state_dir), access_path(instance.state_dir)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in closed} == {0o600}


def test_the_callback_script_is_run_by_the_python_beside_asterisk(tmp_path: Path) -> None:
    instance = instance_in(tmp_path)
    prepare(instance, ROOT, ())
    script = instance.agi_dir / "callback"
    assert script.read_text().startswith("#!/usr/bin/python3\n")
    assert script.stat().st_mode & 0o100


def test_a_state_directory_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where a directory should be")
    with pytest.raises(SetupError, match=r"state: exists and is no directory"):
        prepare(instance_in(tmp_path), ROOT, ())


def test_secrets_are_made_once_and_adding_an_operator_keeps_the_old_ones(tmp_path: Path) -> None:
    first = ensure_secrets(tmp_path, ["1001"])
    second = ensure_secrets(tmp_path, ["1001", "1002"])
    assert second.ari_password == first.ari_password
    assert second.operators["1001"] == first.operators["1001"]
    assert load_secrets(tmp_path) == second
    values = [
        first.ari_password,
        first.ami_password,
        first.api_token,
        first.caller_password,
        *second.operators.values(),
    ]
    assert len(set(values)) == len(values)
    assert min(map(len, values)) >= 20


def test_an_operator_who_returns_gets_the_password_he_had(tmp_path: Path) -> None:
    had = ensure_secrets(tmp_path, ["1001", "1002"]).operators["1002"]
    ensure_secrets(tmp_path, ["1001"])
    assert ensure_secrets(tmp_path, ["1002"]).operators["1002"] == had


def test_a_secret_deleted_from_the_file_is_made_anew(tmp_path: Path) -> None:
    first = ensure_secrets(tmp_path, ["1001"])
    path = secrets_path(tmp_path)
    path.write_text(
        "".join(line for line in path.read_text().splitlines(keepends=True) if not line.startswith("api_token"))
    )
    with pytest.raises(SecretsError, match=r"secrets\.toml: api_token missing"):
        load_secrets(tmp_path)
    second = ensure_secrets(tmp_path, ["1001"])
    assert second.api_token != first.api_token
    assert second.ami_password == first.ami_password


def test_broken_secrets_name_the_file_and_are_left_alone(tmp_path: Path) -> None:
    path = secrets_path(tmp_path)
    path.write_text("ari_password = 7\n")
    with pytest.raises(SecretsError, match=r"secrets\.toml: Expected `str`, got `int` - at `\$\.ari_password`"):
        ensure_secrets(tmp_path, ["1001"])
    assert path.read_text() == "ari_password = 7\n"


def test_no_secret_shows_when_the_secrets_are_printed(tmp_path: Path) -> None:
    secrets = ensure_secrets(tmp_path, ["1001"])
    assert repr(secrets) == "Secrets(operators=['1001'])"
    assert secrets.ari_password not in f"{secrets}"


def test_access_json_says_what_to_connect_with(tmp_path: Path) -> None:
    instance = instance_in(tmp_path, sip_port=5070)
    secrets = ensure_secrets(instance.state_dir, ["1001", "1002"])
    lines = ["88007707999", "88007004666"]
    written = write_access(instance, secrets, lines=lines, operators=["1001"], http_url="http://127.0.0.1:8080")
    assert msgspec.json.decode(access_path(instance.state_dir).read_bytes()) == {
        "sip": {"host": "127.0.0.1", "port": 5070, "tls_port": 0, "trust": ""},
        "lines": lines,
        "operators": [{"extension": "1001", "password": secrets.operators["1001"], "encryption": "off"}],
        "caller": {"user": "caller", "password": secrets.caller_password},
        "http": {"url": "http://127.0.0.1:8080", "token": secrets.api_token},
    }
    assert read_access(instance.state_dir) == written


def test_an_instance_on_every_address_is_reached_on_loopback(tmp_path: Path) -> None:
    instance = instance_in(tmp_path, sip_address="0.0.0.0")
    secrets = ensure_secrets(instance.state_dir, [])
    access = write_access(instance, secrets, lines=[], operators=[], http_url="http://127.0.0.1:8080")
    assert access.sip.host == "127.0.0.1"


def test_who_only_has_the_state_directory_finds_the_instance_in_it(tmp_path: Path) -> None:
    instance = instance_in(tmp_path, http_port=18088, ami_port=15038, shown_dirs=(tmp_path,))
    prepare(instance, ROOT, ())
    assert load_instance(tmp_path / "state") == instance


def test_a_state_directory_without_an_instance_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="no Asterisk was set up here, run: ccserver asterisk start"):
        load_instance(tmp_path)
