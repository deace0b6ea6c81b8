"""A CSV file holds no formulas, keeps numbers as they are, and can always be encoded."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from lib.analysis.csv_file import csv_bytes


@pytest.mark.parametrize("text", ["=1+1", "+1", "-2", "@SUM(A1)", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_is_quoted_in_cells_and_names(text: str) -> None:
    header, cell = csv_bytes(pd.DataFrame({text: [text]})).decode().replace('"', "").split("\n")[:2]
    assert header == cell == f"'{text}"


def test_numbers_stay_numbers_and_missing_values_are_empty() -> None:
    frame = pd.DataFrame(
        {
            "whole": pd.array([-1, None], dtype="Int64"),
            "real": [1.5, float("nan")],
            "money": [Decimal("0.0000001"), None],
            "yes": [True, False],
            "text": ["a,b", None],
        }
    )
    assert csv_bytes(frame).decode() == 'whole,real,money,yes,text\n-1,1.5,0.0000001,yes,"a,b"\n,,,no,\n'


def test_whole_numbers_beside_unknown_ones_get_no_fraction() -> None:
    frame = pd.DataFrame([[1, None], [None, 2]], columns=["a", "b"], dtype=object)
    assert csv_bytes(frame) == b"a,b\n1,\n,2\n"


def test_columns_of_one_name_are_all_written() -> None:
    assert csv_bytes(pd.DataFrame([["x", "y"]], columns=["a", "a"])) == b"a,a\nx,y\n"


def test_half_of_a_surrogate_pair_is_replaced() -> None:
    assert csv_bytes(pd.DataFrame([["\ud83d"]], columns=["a"], dtype=object)) == "a\n\ufffd\n".encode()
