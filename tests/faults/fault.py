"""A fault, and the list of all faults in the order of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.stage import Stage

Act = Callable[["Stage"], None]
BOTH = ("openai", "anthropic")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `act` brings it about and lifts it.

    `options` are for its redis-server. It is tried with the SDKs of all `kinds`. `destroys` marks a fault that deletes
    stored messages by itself, so that they cannot be expected to be there afterwards. `bounded` marks one that would
    fill the app's memory if nothing stopped it. `slow` ones take seconds.
    """

    name: str
    title: str
    act: Act
    options: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("openai",)
    destroys: bool = False
    bounded: bool = False
    slow: bool = False


FAULTS: list[Fault] = []


def fault(
    title: str,
    *options: str,
    kinds: tuple[str, ...] = ("openai",),
    destroys: bool = False,
    bounded: bool = False,
    slow: bool = False,
) -> Callable[[Act], Act]:
    """Add a function to the list of faults, under this title in the table."""

    def add(act: Act) -> Act:
        FAULTS.append(Fault(act.__name__, title, act, options, kinds, destroys, bounded, slow))
        return act

    return add
