"""Strategies: which of the candidates go into the request.

The rule: a strategy returns runs that cover every candidate exactly once, with one reason each; it never edits a message
and never touches the store. An exchange (a user message with everything up to the next one) stays whole in every strategy
but `source_trim`, which is the source document's `trimHistory` with its faults.
Left out on purpose: asking anyone. Whether a plan that does not fit may be sent is for the person to say.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection
from dataclasses import dataclass

from lib.context import Candidates, ContextPlan, ContextWindow, Reason, Run

SOURCE_FLOOR = 4
"""trimHistory stops at this many messages, however large they are."""


@dataclass(frozen=True, slots=True)
class TrimStrategy:
    """A named way to choose. `label` and `explanation` are shown to people; `plan` decides, given the muted exchanges."""

    name: str
    label: str
    explanation: str
    plan: Callable[[Candidates, int, Muted], list[Run]]


Muted = tuple[Run, ...]


def plan_context(
    candidates: Candidates, window: ContextWindow, strategy: str, muted: Collection[int] = ()
) -> ContextPlan:
    """Decide what the next request holds.

    `muted` holds the stored indexes of user messages whose exchanges are never sent. Raises KeyError for an unknown
    strategy.
    """
    runs = STRATEGIES[strategy].plan(candidates, window.input_budget, _muted_runs(candidates, muted))
    return ContextPlan(candidates, tuple(_joined(runs)), window, strategy)


def _none(candidates: Candidates, budget: int, muted: Muted) -> list[Run]:
    """Everything, whether it fits or not."""
    return _cover(candidates, 0, "fits", "over_budget", muted)


def _oldest_first(candidates: Candidates, budget: int, muted: Muted) -> list[Run]:
    """The longest stretch of newest exchanges that fits beside the system messages."""
    starts = _exchange_starts(candidates)
    if not starts:
        return _cover(candidates, 0, "fits", "over_budget", muted)
    if _sent_tokens(candidates, starts[0], muted) <= budget:
        return _cover(candidates, starts[0], "fits", "partner_left_out", muted)
    # sizes fall as the cut moves to newer exchanges, so the first cut that fits is found by bisection
    cut = bisect_left(range(len(starts)), True, key=lambda i: _sent_tokens(candidates, starts[i], muted) <= budget)
    return _cover(candidates, starts[min(cut, len(starts) - 1)], "recent", "over_budget", muted)


def _source_trim(candidates: Candidates, budget: int, muted: Muted) -> list[Run]:
    """trimHistory: drop the second-oldest message until the rest fits or four are left.

    The first message stays because it is first (the source takes it for the system prompt, which its own route never
    sets), and single messages are dropped, so a reply can stay without its question.
    """
    size = len(candidates)
    first = next((at for at in range(size) if not any(run.start <= at < run.stop for run in muted)), size)

    def done(cut: int) -> bool:  # the source's loop condition, with everything from `cut` on still there
        rest = [run for run in muted if run.start >= cut]
        count = 1 + size - cut - sum(run.stop - run.start for run in rest)
        tokens = candidates.between(first, first + 1) + candidates.between(cut, size)
        return count <= SOURCE_FLOOR or tokens - sum(candidates.between(run.start, run.stop) for run in rest) <= budget

    # the loop drops from the front, so both conditions only ever get truer: bisect instead of looping
    cut = bisect_left(range(first + 1, size), True, key=done) + first + 1
    if cut == first + 1:
        return _cover(candidates, 0, "fits", "over_budget", muted)
    kept_first: Reason = "system" if candidates[first].is_system else "pinned"
    layers = [Run(0, size, True, "recent"), Run(first + 1, cut, False, "over_budget"), *muted]
    return _painted([*layers, Run(first, first + 1, True, kept_first)])


def _exchange_starts(candidates: Candidates) -> list[int]:
    """Positions where an exchange begins, oldest first; the new message is the last one."""
    starts = [at + candidates.lead for at in candidates.user_positions]
    return [*starts, len(candidates) - 1] if candidates.prompt is not None else starts


def _sent_tokens(candidates: Candidates, cut: int, muted: Muted) -> int:
    """Tokens of a request that begins at `cut`, with the system messages before it and without the muted exchanges."""
    total = candidates.upto(len(candidates)) - candidates.upto(cut) + candidates.upto(candidates.lead)
    for at in _system_positions(candidates, cut):
        total += candidates.between(at, at + 1)
    return total - sum(candidates.between(run.start, run.stop) for run in muted if run.start >= cut)


def _system_positions(candidates: Candidates, before: int) -> list[int]:
    """Positions of stored system messages before a cut."""
    stored = candidates.tally.system_positions
    return [at + candidates.lead for at in stored[: bisect_left(stored, before - candidates.lead)]]


def _cover(candidates: Candidates, cut: int, kept: Reason, dropped: Reason, muted: Muted) -> list[Run]:
    """Everything before `cut` left out but for system messages, everything from there on sent."""
    size = len(candidates)
    systems = [Run(at, at + 1, True, "system") for at in _system_positions(candidates, size)]
    if candidates.lead:
        systems.insert(0, Run(0, 1, True, "system"))
    return _painted([Run(0, cut, False, dropped), Run(cut, size, True, kept), *muted, *systems])


def _muted_runs(candidates: Candidates, muted: Collection[int]) -> Muted:
    """The exchanges that begin at these stored indexes, as runs."""
    starts = candidates.user_positions
    runs = []
    for index in sorted(muted):
        place = bisect_left(starts, index)
        if place < len(starts) and starts[place] == index:
            stop = starts[place + 1] if place + 1 < len(starts) else len(candidates.history)
            runs.append(Run(index + candidates.lead, stop + candidates.lead, False, "muted"))
    return tuple(runs)


def _painted(layers: list[Run]) -> list[Run]:
    """Layers of runs, later ones over earlier ones, as runs side by side.

    Example: [Run(0, 9, True, "recent"), Run(2, 4, False, "muted")] -> 0-2 recent, 2-4 muted, 4-9 recent
    """
    done: list[Run] = []
    for layer in layers:
        if layer.start >= layer.stop:
            continue
        around: list[Run] = []
        for run in done:
            if run.start < layer.start:
                around.append(run._replace(stop=min(run.stop, layer.start)))
            if run.stop > layer.stop:
                around.append(run._replace(start=max(run.start, layer.stop)))
        done = sorted([*around, layer])
    return done


def _joined(runs: list[Run]) -> list[Run]:
    """Neighbours with the same fate and reason become one run."""
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1][2:] == run[2:]:
            joined[-1] = joined[-1]._replace(stop=run.stop)
        else:
            joined.append(run)
    return joined


STRATEGIES: dict[str, TrimStrategy] = {
    strategy.name: strategy
    for strategy in (
        TrimStrategy(
            "oldest_first",
            "Leave out the oldest",
            "Whole exchanges are left out, oldest first, until the rest fits. The system prompt and your newest message "
            "always go along.",
            _oldest_first,
        ),
        TrimStrategy(
            "none",
            "Leave out nothing",
            "Everything is sent. When it no longer fits, you are asked before anything is sent.",
            _none,
        ),
        TrimStrategy(
            "source_trim",
            "The textbook's trimHistory",
            "Single messages are dropped, second-oldest first, until it fits or four are left; sizes are characters / 4. "
            "Can build requests that are refused: a reply may be sent without its question.",
            _source_trim,
        ),
    )
}
DEFAULT_STRATEGY = "oldest_first"
