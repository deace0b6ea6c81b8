"""Whether a text holds an answer, however it is written.

The rule: both are cut into the same kinds of pieces (dates, times, numbers, addresses, words), each piece is brought to one
form, and the answer's pieces must stand in the text one behind the other. So "1,250.00" is "1250", "22 Nov 2026" is
"2026-11-22", "2:30 pm" is "14:30" and "Zoë's" holds "zoe", but "42" is not in "421".

- Upper and lower case, accents, punctuation, signs and currencies are passed over.
- A single dot before three digits may stand for thousands or for a fraction: both are read. A comma there stands for
  thousands. Leading zeros count: "0042" is a code, not 42.
- A date whose year is left out in one of the two is the same. 03/04/2026 is read both ways.
- A telephone number (seven digits and more, in groups) is the same in any grouping.
- Scripts without blanks between words (Chinese, Japanese, Thai) are compared letter by letter.

It leaves out meaning: "twelve" is not 12, "a dozen" neither, and "it is not 42" holds 42.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

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
    | (?P<time>\b\d{{1,2}}:\d\d\b(?:\s?[ap]\.?m\b)?|\b\d{{1,2}}\s?[ap]\.?m\b)
    | (?P<number>\d{{1,3}}(?:[ ']\d{{3}})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)*)
    | (?P<letter>[{_UNSPACED}])
    | (?P<word>[^\W_{_UNSPACED}]+)
    """,
    re.VERBOSE,
)
_TELEPHONE = re.compile(r"\d[\d +()/.-]*")
_ARTICLES = re.compile(r"^(?:the|an?|my|our|your)\s+(?=\S)")


def contains(text: str, answer: str) -> bool:
    """Whether the answer stands in the text.

    Example: contains("It was Nov. 22nd, and cost 1,250 euros.", "€1250") -> True
    """
    wanted = _ARTICLES.sub("", folded(answer).strip())
    sought = [wants for wants, _ in _pieces(wanted)]
    said = [says for _, says in _pieces(folded(text))]
    if not sought:
        return bool(wanted) and wanted in folded(text)
    places = range(len(said) - len(sought) + 1)
    found = any(all(want & said[at + n] for n, want in enumerate(sought)) for at in places)
    return found or _telephone(wanted, folded(text))


def folded(text: str) -> str:
    """Text without case, accents, kinds of apostrophes, and kinds of digits.

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


def _pieces(text: str) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """For each piece, what it accepts as an answer's and what it counts as in a text."""
    for found in _PIECES.finditer(text):
        kind, piece = found.lastgroup or "", found.group()
        if kind in ("iso", "slashed", "dayfirst", "monthfirst"):
            dates = _dates(kind, piece)
            yield frozenset(_wanted(dates)) or frozenset({piece}), frozenset(_said(dates)) or frozenset({piece})
        else:
            forms = numbers(piece) if kind == "number" else _times(piece) if kind == "time" else {piece}
            yield frozenset(forms), frozenset(forms)


Date = tuple[str, int, int]
"""Year, or "" where it is left out; month; day."""


def _dates(kind: str, piece: str) -> list[Date]:
    """How a date may be read."""
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


def _wanted(dates: list[Date]) -> Iterator[str]:
    """With a year: that year's, or a text's without one. Without: any year's."""
    for year, month, day in dates:
        yield from (f"{known}-{month:02}-{day:02}" for known in ((year, "none") if year else ("none", "any")))


def _said(dates: list[Date]) -> Iterator[str]:
    for year, month, day in dates:
        yield from (f"{known}-{month:02}-{day:02}" for known in ((year, "any") if year else ("none",)))


def _times(piece: str) -> set[str]:
    """Example: "2:30 pm" -> {"at 14:30"}"""
    hour, minute = (int(part) for part in [*re.findall(r"\d+", piece), "0"][:2])
    if piece.rstrip(".").endswith("m"):
        hour = hour % 12 + (12 if "p" in piece else 0)
    return {f"at {hour}:{minute:02}"}


def numbers(piece: str) -> set[str]:
    """The values a written number may have, without separators of thousands and zeros at the end of fractions.

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
    shown = whole.lstrip("0") or "0"
    rest = part.rstrip("0")
    return f"{shown}.{rest}" if rest else shown


def _telephone(answer: str, text: str) -> bool:
    """Whether a long number stands in the text in other groups."""
    digits = re.sub(r"\D", "", answer)
    if len(digits) < 7 or not re.fullmatch(r"[\d +()/.-]+", answer):
        return False
    return any(re.sub(r"\D", "", run) == digits for run in _TELEPHONE.findall(text))


def key(answer: str) -> tuple[frozenset[str], ...]:
    """Equal for answers that are written alike but for what is passed over.

    Example: key("$1,250.00") == key("1250")
    """
    return tuple(says for _, says in _pieces(folded(answer)))
