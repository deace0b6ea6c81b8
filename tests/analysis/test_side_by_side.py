"""Two conversations side by side: equal questions meet, and the marked differences are the real ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib.analysis.side_by_side import Exchange, Pair, side_by_side, text_changes
from lib.messages import Message, assistant, user

questions = st.lists(st.sampled_from("abcd"), max_size=6)


def conversation(prompts: list[str]) -> list[Message]:
    return [each for prompt in prompts for each in (user(prompt), assistant(f"re {prompt}"))]


def compared(left: list[str], right: list[str]) -> list[Pair]:
    return side_by_side(conversation(left), [], conversation(right), [])


def prompt_of(exchange: Exchange | None) -> str | None:
    return None if exchange is None else exchange.prompt


def prompts_of(pairs: list[Pair]) -> list[tuple[str | None, str | None]]:
    return [(prompt_of(pair.left), prompt_of(pair.right)) for pair in pairs]


def test_equal_questions_meet_and_an_edited_one_stands_beside_its_original() -> None:
    assert prompts_of(compared(["a", "b", "c"], ["a", "x", "c"])) == [("a", "a"), ("b", "x"), ("c", "c")]
    assert prompts_of(compared(["a", "b"], ["a", "b", "c"])) == [("a", "a"), ("b", "b"), (None, "c")]
    assert [pair.differs for pair in compared(["a", "b"], ["a", "x", "c"])] == [False, True, True]


@given(left=questions, right=questions)
def test_each_side_is_complete_and_in_order(left: list[str], right: list[str]) -> None:
    pairs = compared(left, right)
    assert [pair.left.prompt for pair in pairs if pair.left] == left
    assert [pair.right.prompt for pair in pairs if pair.right] == right
    assert [pair.left.number for pair in pairs if pair.left] == [*range(1, len(left) + 1)]


def test_a_reply_with_another_text_differs_though_the_question_is_the_same() -> None:
    (pair,) = side_by_side([user("q"), assistant("yes")], [], [user("q"), assistant("no")], [])
    assert pair.differs


def test_calls_and_images_tell_exchanges_apart_and_ids_of_calls_do_not() -> None:
    def loop(call_id: str, city: str) -> list[Message]:
        call = {"type": "tool_use", "id": call_id, "name": "weather", "input": {"city": city}}
        thought = {"type": "thinking", "thinking": f"Look up {call_id}.", "signature": "s"}
        result = {"type": "tool_result", "tool_use_id": call_id, "content": "12"}
        return [user("q"), Message("assistant", [thought, call]), Message("user", [result]), assistant("Cold.")]

    (same,) = side_by_side(loop("t1", "Oslo"), [], loop("t2", "Oslo"), [])
    assert not same.differs
    assert same.left is not None
    assert (same.left.prompt, same.left.reply) == ("q", "Cold.")
    (other,) = side_by_side(loop("t1", "Oslo"), [], loop("t1", "Rome"), [])
    assert other.differs


def test_without_a_turn_everything_stored_counts_as_sent() -> None:
    pairs = compared(["a", "b"], ["a", "b"])
    assert [(pair.left.sent, pair.left.dropped) for pair in pairs if pair.left] == [(1, 0), (3, 0)]


def test_changes_are_marked_word_by_word() -> None:
    assert text_changes("a red car", "a blue car") == [
        ("same", "a "),
        ("removed", "red"),
        ("added", "blue"),
        ("same", " car"),
    ]


@given(before=st.text(max_size=40), after=st.text(max_size=40))
def test_changes_lead_from_one_text_to_the_other(before: str, after: str) -> None:
    changes = text_changes(before, after)
    assert "".join(text for kind, text in changes if kind != "added") == before
    assert "".join(text for kind, text in changes if kind != "removed") == after
