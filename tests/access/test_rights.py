"""Who may do what with a session, and which mode an installation has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.access import THE_ONE, Mode, Person, Right, is_loopback, mode_of, right_of
from lib.errors import InvalidSettings
from lib.history.sessions import Share

ANNA = Person("visitors", "visitor-anna")
ADMIN = Person("accounts", "account-admin", sees_all=True)
STRANGER = Person("accounts")
SHARES: list[Share] = ["", "read", "write"]


@pytest.mark.parametrize(
    ("owner", "share", "right"),
    [
        ("visitor-anna", "", Right.OWN),
        ("visitor-bert", "", Right.NONE),
        ("visitor-bert", "read", Right.READ),
        ("visitor-bert", "write", Right.WRITE),
        ("", "", Right.NONE),
        ("", "write", Right.NONE),
        ("visitor-bert", "nonsense", Right.NONE),
    ],
)
def test_a_visitor_may_do_everything_with_their_own_sessions_and_what_others_allow(
    owner: str, share: Share, right: Right
) -> None:
    assert right_of(ANNA, owner, share) == right


@given(st.text(max_size=20), st.sampled_from(SHARES))
def test_the_one_person_and_admins_may_do_everything_and_whoever_is_not_logged_in_nothing(
    owner: str, share: Share
) -> None:
    assert right_of(THE_ONE, owner, share) == right_of(ADMIN, owner, share) == Right.OWN
    assert right_of(STRANGER, owner, share) == Right.NONE


@pytest.mark.parametrize(
    ("chosen", "address", "has_login", "mode"),
    [
        (None, "127.0.0.1", False, "one"),
        (None, "localhost", False, "one"),
        (None, "::1", False, "one"),
        (None, "0.0.0.0", False, "visitors"),
        (None, None, False, "visitors"),
        (None, "example.org", False, "visitors"),
        (None, "127.0.0.1", True, "accounts"),
        (None, "0.0.0.0", True, "accounts"),
        ("visitors", "127.0.0.1", True, "visitors"),
        ("one", "0.0.0.0", False, "one"),
        ("accounts", "0.0.0.0", True, "accounts"),
    ],
)
def test_the_mode_is_found_out_unless_it_was_chosen(
    chosen: Mode | None, address: str | None, has_login: bool, mode: Mode
) -> None:
    assert mode_of(chosen, address, has_login) == mode


def test_accounts_without_a_login_are_refused() -> None:
    with pytest.raises(InvalidSettings, match=r"\[auth\]"):
        mode_of("accounts", "127.0.0.1", has_login=False)


def test_an_address_that_others_can_reach_is_no_loopback() -> None:
    assert not any(map(is_loopback, ("", "0.0.0.0", "192.168.0.1", "::", "127.0.0.1.example.org")))
    assert is_loopback("127.8.8.8")
