"""Decides who may do what with a session. It knows no page, no request and no store.

An installation has one of three modes. With one person, everything belongs to them. Visitors are told apart by a signed
cookie, and people with an account by their login. A session's owner may do everything with it. Others may do what the
owner allows to people who have the link. A session without an owner is nobody's: only an admin may open it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from lib.errors import InvalidSettings
from lib.history.sessions import Share

Mode = Literal["one", "visitors", "accounts"]


class Right(IntEnum):
    """What a person may do with a session. Each right includes the ones before it."""

    NONE = 0
    READ = 1
    WRITE = 2
    """Send messages and change settings and marks."""
    OWN = 3
    """Also clear, delete, rename, pin and share it, and decide how long it is kept."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who is asking. `id` is what their sessions carry as owner; it is empty for the one person of an installation,
    and for somebody who has not logged in.
    """

    mode: Mode
    id: str = ""
    name: str = ""
    """What the pages call them; empty for a visitor."""
    sees_all: bool = False

    @property
    def is_known(self) -> bool:
        """Whether they may use the app at all."""
        return self.sees_all or bool(self.id)


THE_ONE = Person("one", sees_all=True)
"""The only person of an installation that has no owners."""
SHARED: dict[Share, Right] = {"": Right.NONE, "read": Right.READ, "write": Right.WRITE}
"""What people with the link may do, by what the owner chose."""


def right_of(person: Person, owner: str, share: Share) -> Right:
    """What this person may do with a session of this owner."""
    if person.sees_all or (owner and owner == person.id):
        return Right.OWN
    return SHARED.get(share, Right.NONE) if owner and person.is_known else Right.NONE


def mode_of(chosen: Mode | None, address: str | None, has_login: bool) -> Mode:
    """The mode of this installation. `address` is where the server listens, None for every interface.

    Raises InvalidSettings if accounts were chosen and no login is set up.
    """
    if chosen == "accounts" and not has_login:
        raise InvalidSettings("WINDOWSEAT_PEOPLE is 'accounts', but secrets.toml has no [auth] table for the login.")
    if chosen is not None:
        return chosen
    if has_login:
        return "accounts"
    return "one" if is_loopback(address) else "visitors"


def is_loopback(address: str | None) -> bool:
    """Whether only this machine can reach this address. None stands for every interface."""
    if address is None:
        return False
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
