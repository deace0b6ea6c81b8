"""Whether a server held the history, checked on numbers that real servers reported."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.server_history.retention_check import check

GROWING = [40, 80, 120, 160, 200, 240]

RECORDED = {
    # name: (reported tokens, tokens of the whole transcript, stored items, verdict per turn from the second on)
    "llama.cpp, manual": (GROWING, GROWING, None, "held held held held held"),
    "ogx, chain and conversation": (GROWING, GROWING, [2, 4, 6, 8, 10, 12], "held held held held held"),
    "agentserver, chain": ([35, 66, 98, 131], [35, 66, 98, 131], None, "held held held"),
    "agentserver, from a deleted response": (
        [35, 66, 98, 131, 35],
        [35, 66, 98, 131, 164],
        None,
        "held held held lost",
    ),
    "a thread on a server that ignores it": ([40, 50, 50, 50, 50, 50], GROWING, None, "lost lost lost lost lost"),
    "llama.cpp, Claude thread": ([186, 35], [186, 221], None, "lost"),
    "llama.cpp, Claude thread, long": ([186, 35, 36], [186, 221, 260], None, "lost lost"),
    "ogx, trimmed": ([959, 1915, 1915, 1915], [959, 1915, 2871, 3827], [2, 4, 6, 8], "held trimmed trimmed"),
    "ogx, trimmed, for long": (
        [959, *[1915] * 11],
        [956 * n + 3 for n in range(1, 13)],
        None,
        "held" + " trimmed" * 10,
    ),
    "LM Studio, doubling": ([40, 120, 280, 600], [40, 80, 120, 160], None, "inflated inflated inflated"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_what_real_servers_did_is_recognised(name: str) -> None:
    reported, expected, stored, words = RECORDED[name]
    found = [
        check(reported[:turns], expected[:turns], stored[:turns] if stored else None).word
        for turns in range(2, len(reported) + 1)
    ]
    assert found == words.split()


def test_the_sentence_gives_the_numbers() -> None:
    assert (
        check([40, 80], [40, 80]).sentence
        == "The server read 80 tokens, and the whole conversation is about 80: the history was there."
    )
    assert "read 50 of about 120 tokens" in check([40, 50, 50], [40, 80, 120]).sentence
    assert "still stores 6 items" in check([959, 1915, 1915], [959, 1915, 2871], [2, 4, 6]).sentence


@pytest.mark.parametrize(
    ("reported", "expected", "why"),
    [
        ([], [], "not one number per turn"),
        ([40], [40, 80], "not one number per turn"),
        ([40], [40], "first turn"),
        ([40, None], [40, 80], "did not report"),
        ([40, 0], [40, 80], "did not report"),  # every turn reads something
        ([40, 46], [40, 46], "too short"),
    ],
)
def test_it_does_not_guess(reported: list[int | None], expected: list[int], why: str) -> None:
    verdict = check(reported, expected)
    assert verdict.word == "cannot tell"
    assert why in verdict.sentence


def test_a_gap_in_the_reports_hides_only_that_turn() -> None:
    assert check([40, None, 120], [40, 80, 120]).word == "held"
    assert check([None, 80, 120], [40, 80, 120]).word == "held"


def test_a_hidden_system_block_is_not_history() -> None:
    assert check([70, 110, 150], [40, 80, 120]).word == "held"
    assert check([70, 70, 70], [40, 80, 120]).word == "lost"


def test_a_tokenizer_that_counts_differently_is_allowed_for() -> None:
    expected = [100, 300, 500, 700]
    assert check([round(size * 1.3) for size in expected], expected).word == "held"
    assert check([round(size * 0.8) for size in expected], expected).word == "held"


def test_a_long_newest_message_is_not_mistaken_for_history() -> None:
    reported, expected, newest_only = [40, 400], [40, 440], [40, 400]
    assert check(reported, expected, None, newest_only).word == "lost"
    assert check([40, 440], expected, None, newest_only).word == "held"


def test_a_history_that_is_stored_but_hardly_read_is_trimmed_not_lost() -> None:
    assert check([40, 80, 45], [40, 80, 120], [2, 4, 6]).word == "trimmed"
    assert check([40, 80, 45], [40, 80, 120], [2, 4, 2]).word == "lost"


def test_a_trimmed_history_stays_trimmed_while_it_grows() -> None:
    assert check([1000, 2000, 2000, 3000, 4000], [1000, 2000, 3000, 4000, 5000]).word == "trimmed"


sizes = st.lists(st.integers(30, 3000), min_size=2, max_size=20)


@given(first=st.integers(5, 500), growth=sizes, block=st.integers(0, 200))
def test_a_server_that_holds_everything_is_never_accused(first: int, growth: list[int], block: int) -> None:
    expected = [first + sum(growth[:turn]) for turn in range(len(growth) + 1)]
    assert check([size + block for size in expected], expected).word == "held"


@given(first=st.integers(5, 500), growth=sizes, block=st.integers(0, 200))
def test_a_server_that_reads_one_message_only_is_never_believed(first: int, growth: list[int], block: int) -> None:
    expected = [first + sum(growth[:turn]) for turn in range(len(growth) + 1)]
    assert check([first + block] * len(expected), expected).word == "lost"
