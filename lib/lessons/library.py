"""Finds the lessons: those that ship with the app, and those in a folder of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lib.errors import InvalidLesson
from lib.lessons import Lesson
from lib.lessons.reading import MOST_BYTES, read_lesson

SHIPPED = Path(__file__).parents[2] / "lessons"
MOST_LESSONS = 200


@dataclass(frozen=True, slots=True)
class Library:
    """The lessons in the order of their files' names, and why the other files are none."""

    lessons: tuple[Lesson, ...] = ()
    broken: tuple[InvalidLesson, ...] = field(default=())

    def lesson(self, lesson_id: str) -> Lesson | None:
        """The lesson of this id; None if there is none."""
        return next((each for each in self.lessons if each.id == lesson_id), None)


def find_lessons(own: Path | None = None) -> Library:
    """Read all lessons. One in the folder of one's own stands in place of a shipped one with the same file name."""
    lessons: dict[str, Lesson] = {}
    broken: list[InvalidLesson] = []
    for path in (*_files(SHIPPED), *(_files(own) if own is not None else ())):
        try:
            lesson = read_lesson(path.name, _read(path))
        except InvalidLesson as error:
            broken.append(error)
        else:
            lessons[lesson.id] = lesson
    return Library(tuple(sorted(lessons.values(), key=lambda each: _order(each.id))), tuple(broken))


def _files(folder: Path) -> Iterator[Path]:
    """The lessons' files in a folder, not in those below it. A link that leads out of it is not followed."""
    if not folder.is_dir():
        return
    for path in sorted(folder.glob("*.toml"))[:MOST_LESSONS]:
        if path.is_file() and path.resolve().parent == folder.resolve():
            yield path


def _read(path: Path) -> bytes:
    """The bytes of a file, no more than are read of a lesson and one. Raises InvalidLesson."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise InvalidLesson(f"{path.name} cannot be read: {error.strerror}.") from error


def _order(lesson_id: str) -> tuple[int, str]:
    """By the number at the start of a file's name, then by the name. Example: "2-bill" before "10-summary"."""
    number = lesson_id.split("-", 1)[0]
    return (int(number) if number.isascii() and number.isdigit() else MOST_LESSONS, lesson_id)
