"""Finds an answer in a text, however it is written.

Both are cut into pieces (dates, times, numbers, addresses, words), each piece is normalized, and the text must contain
the answer's pieces one after the other. So "1,250.00" is "1250", "22 Nov 2026" is "2026-11-22", "2:30pm" is "14:30"
and "Zoë's" contains "zoe", but "421" does not contain "42".

- Case, accents, punctuation, signs and currencies do not matter.
- A single dot before three digits may separate thousands or a fraction: both readings count. A comma there separates
  thousands. Leading zeros matter: "0042" is a code, not 42.
- A date without a year equals the same date with any year. 03/04/2026 is read both ways.
- A telephone number (seven or more digits in groups) may be grouped in any way.
- Scripts without spaces between words (Chinese, Japanese, Thai) are compared letter by letter.

Meaning is not understood: "twelve" is not 12, and "it is not 42" contains 42.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"\d{1,2}(?!\d)(?:st|nd|rd|th)?"
_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_PIECES = re.compile(
    rf"""
      (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<iso>\b\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}\b)
    | (?P<slashed>\b\d{{1,2}}(?P<mark>[/.])\d{{1,2}}(?P=mark)\d{{4}}\b)
    | (?P<dayfirst>\b{_DAY}\.?\s(?:of\s)?{_MONTH}(?:,?\s\d{{4}}\b)?)
    | (?P<monthfirst>\b{_MONTH}\s(?:the\s)?{_DAY}(?:,?\s\d{{4}}\b)?)
    | (?P<time>\b\d{{1,2}}:\d\d(?:\s?[ap]\.?m)?\b|\b\d{{1,2}}\s?[ap]\.?m\b)
    | (?P<number>\d{{1,3}}(?:[ ']\d{{3}})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*)
    | (?P<letter>[{_UNSPACED}])
    | (?P<word>[^\W_{_UNSPACED}]+)
    """,
    re.VERBOSE,
)
_TELEPHONE = re.compile(r"\d[\d +()/.-]*")
_ARTICLES = re.compile(r"^(?:the|an?|my|our|your)\s+(?=\S)")


def contains(text: str, answer: str) -> bool:
    """Whether the text contains the answer.

    Example: contains("It was Nov. 22nd, and cost 1,250 euros.", "€1250") -> True
    """
    bare_answer = _ARTICLES.sub("", folded(answer).strip())
    answer_pieces = [piece.as_answer for piece in _pieces(bare_answer)]
    text_pieces = [piece.as_text for piece in _pieces(folded(text))]
    if not answer_pieces:
        return bool(bare_answer) and bare_answer in folded(text)
    places = range(len(text_pieces) - len(answer_pieces) + 1)
    found = any(all(forms & text_pieces[at + n] for n, forms in enumerate(answer_pieces)) for at in places)
    return found or _telephone(bare_answer, folded(text))


def folded(text: str) -> str:
    """Text in lower case, without accents, with ASCII digits and one kind of apostrophe.

    Example: folded("Zoë’s ４２") -> "zoe's 42"
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return "".join(_plain(char) for char in plain if unicodedata.category(char) != "Mn")


def _plain(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    return "'" if char in "‘’ʼ`´" else " " if char.isspace() else char


class Piece(NamedTuple):
    """The normalized forms of a piece: those an answer accepts and those a text offers. A shared form is a match."""

    as_answer: frozenset[str]
    as_text: frozenset[str]


def _pieces(text: str) -> Iterator[Piece]:
    for found in _PIECES.finditer(text):
        kind, piece = found.lastgroup or "", found.group()
        if kind in ("iso", "slashed", "dayfirst", "monthfirst"):
            dates = _dates(kind, piece)
            unread = frozenset({piece})
            yield Piece(frozenset(_dates_accepted(dates)) or unread, frozenset(_dates_offered(dates)) or unread)
        else:
            forms = number_forms(piece) if kind == "number" else _times(piece) if kind == "time" else {piece}
            yield Piece(frozenset(forms), frozenset(forms))


Date = tuple[str, int, int]
"""Year, or "" if there is none; month; day."""


def _dates(kind: str, piece: str) -> list[Date]:
    """The readings of a date; none if it is not a real one."""
    parts = [int(part) for part in re.findall(r"\d+", piece)]
    if kind in ("iso", "slashed"):
        year = parts[0] if kind == "iso" else parts[2]
        orders = [parts[1:]] if kind == "iso" else [parts[:2], parts[1::-1]]
        if "." in piece:
            orders = [parts[1::-1]]
        read = [(f"{year:04}", month, day) for month, day in orders]
    else:
        month = next(place for place, name in enumerate(MONTHS, start=1) if re.search(rf"(?<![a-z]){name}", piece))
        read = [(f"{parts[1]:04}" if len(parts) > 1 else "", month, parts[0])]
    return [date for date in read if 1 <= date[1] <= 12 and 1 <= date[2] <= 31]


def _dates_accepted(dates: list[Date]) -> Iterator[str]:
    """What an answer accepts: with a year, that year or none; without one, any year or none."""
    for year, month, day in dates:
        yield from (f"{known}-{month:02}-{day:02}" for known in ((year, "none") if year else ("none", "any")))


def _dates_offered(dates: list[Date]) -> Iterator[str]:
    """What a text offers, in the forms of `_dates_accepted`."""
    for year, month, day in dates:
        yield from (f"{known}-{month:02}-{day:02}" for known in ((year, "any") if year else ("none",)))


def _times(piece: str) -> set[str]:
    """Example: "2:30 pm" -> {"at 14:30"}"""
    hour, minute = (int(part) for part in [*re.findall(r"\d+", piece), "0"][:2])
    if piece.rstrip(".").endswith("m"):
        hour = hour % 12 + (12 if "p" in piece else 0)
    return {f"at {hour}:{minute:02}"}


def number_forms(piece: str) -> set[str]:
    """The values a written number may mean, without separators of thousands and trailing zeros of fractions.

    Example: "1.250" -> {"1250", "1.25"}; "1,250.50" -> {"1250.5"}; "0042" -> {"0042"}
    """
    digits = piece.replace(" ", "").replace("'", "")
    marks = [char for char in digits if char in ".,"]
    groups = re.split("[.,]", digits)
    if not marks:
        return {digits}
    in_thousands = 0 < len(groups[0]) <= 3 and groups[0] != "0" and all(len(group) == 3 for group in groups[1:])
    if len(set(marks)) == 2:
        if marks.count(marks[-1]) > 1:
            return {digits}
        return {_fraction("".join(groups[:-1]), groups[-1])}
    if len(marks) > 1:
        return {"".join(groups)} if in_thousands else {digits}
    read = _fraction(*groups)
    if not in_thousands:
        return {read}
    return {"".join(groups)} | ({read} if marks == ["."] else set())


def _fraction(whole: str, part: str) -> str:
    """Example: "3", "50" -> "3.5"; "007", "0" -> "7" """
    digits = whole.lstrip("0") or "0"
    fraction = part.rstrip("0")
    return f"{digits}.{fraction}" if fraction else digits


def _telephone(answer: str, text: str) -> bool:
    """Whether the text contains this telephone number in any grouping."""
    digits = re.sub(r"\D", "", answer)
    if len(digits) < 7 or not re.fullmatch(r"[\d +()/.-]+", answer):
        return False
    return any(re.sub(r"\D", "", run) == digits for run in _TELEPHONE.findall(text))


def answer_key(answer: str) -> tuple[frozenset[str], ...]:
    """A key that is equal for answers that differ only in how they are written.

    Example: answer_key("$1,250.00") == answer_key("1250")
    """
    return tuple(piece.as_text for piece in _pieces(folded(answer)))
