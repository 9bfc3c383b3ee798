"""Where the migrations are found, and that they are those the code needs."""

from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from ccserver.store.errors import MigrationsMissing
from ccserver.store.schema import migrations
from ccserver.store.tables import SCHEMA


def test_the_newest_migration_is_the_one_the_code_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations()))
    assert ScriptDirectory.from_config(config).get_heads() == [f"{SCHEMA:04}"]


def test_a_checkout_elsewhere_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "env.py").touch()
    monkeypatch.setenv("CCSERVER_HOME", str(tmp_path))
    assert migrations() == tmp_path / "sql"


def test_where_there_are_none_the_line_says_where_they_were_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CCSERVER_HOME", str(tmp_path))
    with pytest.raises(MigrationsMissing, match=f"no migrations in {tmp_path}/sql: set CCSERVER_HOME"):
        migrations()
