"""The error tree: which answer becomes which error, and which of them is worth another try."""

import pytest

from ccserver.ari.errors import (
    AllocationFailed,
    AlreadyExists,
    AriAuthFailed,
    AriError,
    AriRejected,
    AriUnavailable,
    Conflict,
    NotFound,
    from_status,
    is_retryable,
)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Invalid", AriRejected),
        (401, "Unauthorized", AriAuthFailed),
        (403, "Forbidden", AriAuthFailed),
        (404, "Channel not found", NotFound),
        (409, "Channel not in Stasis application", Conflict),
        (412, "Channel in invalid state", AriRejected),
        (413, "Too large", AriRejected),
        (422, "Event source does not exist", AriRejected),
        (500, "Allocation failed", AllocationFailed),
        (500, "Internal Server Error", AriUnavailable),
        (503, "Asterisk not booted", AriUnavailable),
    ],
)
def test_every_status_becomes_one_kind_of_error(status: int, message: str, kind: type[AriError]) -> None:
    error = from_status("POST", "/channels/c1/answer", status, message)
    assert type(error) is kind


def test_an_error_says_the_request_and_the_reason_in_one_line() -> None:
    assert str(from_status("GET", "/channels/c1", 404, "Channel not found")) == (
        "GET /channels/c1: 404 Channel not found"
    )
    assert "\n" not in str(from_status("GET", "/x", 401, "no"))
    assert "ari.conf" in str(from_status("GET", "/x", 401, "no"))


@pytest.mark.parametrize("status", [404, 409, 500, 502, 503])
def test_a_starting_asterisk_is_tried_again(status: int) -> None:
    assert is_retryable(from_status("GET", "/events", status, "starting"))


def test_a_refused_connection_is_tried_again() -> None:
    assert is_retryable(AriUnavailable("GET", "/events", "refused", ambiguous=False))


@pytest.mark.parametrize("status", [400, 401, 403, 405, 413, 422])
def test_what_no_repetition_mends_is_not_tried_again(status: int) -> None:
    assert not is_retryable(from_status("GET", "/events", status, "no"))


def test_whoever_expects_a_conflict_also_gets_the_verified_one() -> None:
    assert issubclass(AlreadyExists, Conflict)
    assert issubclass(Conflict, AriRejected)
    assert issubclass(NotFound, AriRejected)
