"""Who is let in."""

import pytest

from ccserver.api.auth import Auth
from tests.api_stage import TOKEN


def test_an_empty_token_is_refused_at_once_because_it_would_admit_everybody() -> None:
    with pytest.raises(ValueError, match="empty"):
        Auth("")


@pytest.mark.parametrize("offered", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ключ", "\udcff"])
def test_only_the_very_token_is_the_token(offered: str) -> None:
    assert not Auth(TOKEN).is_token(offered)


def test_the_token_is_the_token() -> None:
    assert Auth(TOKEN).is_token(TOKEN)


def test_instances_with_different_tokens_use_different_cookies_so_that_they_can_share_a_host() -> None:
    assert Auth(TOKEN).cookie != Auth(TOKEN + "2").cookie
    assert Auth(TOKEN).cookie == Auth(TOKEN).cookie
