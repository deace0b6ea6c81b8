"""Why a message is sent or not: a closed set of reasons, with one plain sentence for each."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "system",
    "pinned",
    "recent",
    "fits",
    "over_budget",
    "batch",
    "outside_window",
    "middle",
    "summarized",
    "muted",
    "partner_left_out",
]

REASON_TEXT: dict[Reason, str] = {
    "system": "Sent: instructions to the model always go along, and so does a summary.",
    "pinned": "Sent: it is pinned, by you or by the strategy, so it goes along whatever else is dropped.",
    "recent": "Sent: it belongs to the newest part of the conversation that fits.",
    "fits": "Sent: everything fits.",
    "over_budget": "Dropped: with it, the request would exceed the token budget.",
    "batch": "Dropped in one batch with the messages before it, so that the next requests begin the same.",
    "outside_window": "Dropped: it is older than the last exchanges this strategy sends.",
    "middle": "Dropped: this strategy keeps the first and the newest exchanges, and this one is in between.",
    "summarized": "Dropped: a summary is sent in its place.",
    "muted": "Not sent: it was muted or replaced. It stays stored.",
    "partner_left_out": (
        "Dropped: its question, tool call or tool result is not sent, and providers refuse one without the other."
    ),
}
