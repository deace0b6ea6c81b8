"""Charts: every line can be seen and is named once, axes have round ticks, and hover texts are sentences."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.context import STRATEGIES
from lib.ui.components import axes, charts, palette

SHORT = {strategy.short: name for name, strategy in STRATEGIES.items()}


def frame_of(lines: dict[str, list[float]]) -> pd.DataFrame:
    rows = [(name, turn, value) for name, values in lines.items() for turn, value in enumerate(values, start=1)]
    return pd.DataFrame(rows, columns=["strategy", "turn", "tokens"])


def drawn(lines: dict[str, list[float]], **options: Any) -> dict[str, Any]:
    figure = charts.growth_lines(
        frame_of(lines), "tokens", "tokens (counted)", 0, usd=False, strategies=SHORT, **options
    )
    made: dict[str, Any] = figure.to_dict()
    return made


def labels(figure: dict[str, Any]) -> list[str]:
    """The names at the ends of the lines, without their marks."""
    notes = [note["text"] for note in figure["layout"]["annotations"]]
    return [name.split("</span> ")[1] for text in notes if "</span>" in text for name in text.split("<br>")]


def test_every_strategy_has_its_colour_whatever_its_place() -> None:
    names = list(SHORT)
    for order in (names, names[::-1], names[2:4]):
        traces = drawn({name: [1.0, 2.0 + place] for place, name in enumerate(order)})["data"]
        assert {trace["name"]: trace["line"]["color"] for trace in traces if trace["mode"] == "lines"} == {
            name: palette.STRATEGY_COLOURS[SHORT[name]] for name in order
        }


@pytest.mark.parametrize("count", range(2, 8))
def test_lines_that_coincide_can_all_be_seen(count: int) -> None:
    traces = drawn({name: [1.0, 2.0, 3.0] for name in list(SHORT)[:count]})["data"]
    for below, above in pairwise(traces):
        assert above["line"]["width"] < below["line"]["width"] or above["line"]["dash"] != "solid"
    dashed = [trace["line"]["dash"] for trace in traces if trace["line"]["dash"] != "solid"]
    assert len(set(dashed)) == len(dashed)  # each dash is in a place of its own
    places = set()
    for dash in dashed:
        _, before, length, after = (int(part.removesuffix("px")) for part in dash.split(","))
        assert after >= 0
        places.add((before, before + length))
    assert len(places) == len(dashed)


def test_each_line_is_named_once_at_its_end_and_those_together_share_a_label() -> None:
    figure = drawn({"Batch": [1, 50, 100], "Oldest first": [1, 50.5, 101], "Ends": [1, 90, 300], "Everything": [1, 60]})
    assert sorted(labels(figure)) == ["Batch", "Ends", "Everything", "Oldest first"]
    assert any(
        "Batch<br>" in note["text"] and note["text"].endswith("Oldest first")
        for note in figure["layout"]["annotations"]
    )
    assert not any(trace.get("showlegend") for trace in figure["data"])
    frame = frame_of({"Batch": [1, 50, 100], "Oldest first": [1, 50.5, 101], "Ends": [1, 90, 300]})
    assert charts.together(frame, "tokens") == [["Batch", "Oldest first"]]
    assert charts.together_sentence(frame, "tokens").startswith("“Batch” and “Oldest first” run together")
    assert charts.together_sentence(frame_of({"Batch": [1, 2], "Ends": [1, 9]}), "tokens") == ""


def test_the_hover_text_is_a_sentence_that_names_all_lines_at_that_point() -> None:
    first, second = drawn({"Batch": [10, 20], "Ends": [10, 900]})["data"]
    assert list(first["text"]) == [
        "At turn 1, “Batch” and “Ends”: 10 tokens (counted).",
        "At turn 2, “Batch”: 20 tokens (counted).",
    ]
    assert second["text"][1] == "At turn 2, “Ends”: 900 tokens (counted)."


def test_a_name_from_a_file_is_drawn_as_text() -> None:
    figure = drawn({"<b>bold</b>": [1, 2], "Batch": [1, 9]})
    assert "&lt;b&gt;bold" in str(figure)
    assert "<b>" not in str(figure)


def test_long_names_go_into_a_legend() -> None:
    figure = drawn({"a name that is too long for the end of a line": [1, 2]})
    assert labels(figure) == []
    assert figure["data"][0]["showlegend"]


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 3)), min_size=1, max_size=4))
def test_labels_do_not_cover_each_other(ends: list[tuple[float, int]]) -> None:
    ends = sorted(ends, reverse=True)
    heights = [charts.ROW * rows for _, rows in ends]
    places = charts.spread_labels([at for at, _ in ends], heights)
    for (upper, lower), (tall, low) in zip(pairwise(places), pairwise(heights), strict=True):
        assert upper - lower >= (tall + low) / 2 - 1e-9
    assert places[-1] >= heights[-1] / 2 - 1e-9


@pytest.mark.parametrize(
    ("top", "ticks"),
    [
        (0.0023, ["$0", "$0.0005", "$0.0010", "$0.0015", "$0.0020"]),
        (0.31, ["$0", "$0.10", "$0.20", "$0.30"]),
        (4, ["$0", "$1", "$2", "$3", "$4"]),
        (1234, ["$0", "$500", "$1,000"]),
        (0, ["$0"]),
    ],
)
def test_money_axes_have_round_ticks_with_the_digits_that_matter(top: float, ticks: list[str]) -> None:
    assert axes.money_ticks(top)["ticktext"] == ticks


@given(st.floats(1e-9, 1e6))
def test_money_axes_have_a_few_ticks_below_the_top(top: float) -> None:
    made = axes.money_ticks(top)
    assert 2 <= len(made["tickvals"]) <= 8
    assert all(0 <= value <= top * 1.001 for value in made["tickvals"])
    assert len(set(made["ticktext"])) == len(made["ticktext"])


def test_bars_have_short_ticks_that_fit_on_a_phone() -> None:
    few = axes.request_ticks(["turn 1", "turn 2", "message 5", "turn 3"])
    assert few["ticktext"] == ["turn 1", "2", "message 5", "turn 3"]
    many = axes.request_ticks([f"turn {n}" for n in range(1, 61)])
    assert len(many["tickvals"]) <= axes.MOST_TICKS
    assert many["tickvals"][:2] == ["turn 1", "turn 7"]
