"""Reads a lesson's file, and says where it is wrong.

The file is TOML. Texts are Markdown. What stands in [chat] holds for every arm that says nothing else:

    title = "Models are stateless"
    summary = "The same question, sent with four different histories."
    minutes = 5
    view = "pairs"                      # or "growth" or "window"
    look_at = ["Compare what was sent.", "Read the forged reply."]
    explanation = "A model keeps nothing between two requests."

    [prediction]
    question = "Does it still know the name?"
    choices = ["Yes", "No"]
    right = 2                           # the second choice

    [chat]
    system = "You are a helpful assistant."
    window = 2048                       # tokens
    reply = 48                          # tokens that are kept free for the reply, and the longest reply
    strategy = "none"

    [[arms]]
    name = "With the history"
    given = ["user: The name of my dog is Bruno.", "assistant: Noted."]
    prompts = ["What is the name of my dog?"]
    answer = "Bruno"                    # what the last reply must hold
    known = true                        # or must not hold
"""

from __future__ import annotations

import tomllib

from lib.context.strategies import STRATEGIES
from lib.errors import InvalidLesson
from lib.lessons import VIEWS, Arm, Lesson, Prediction
from lib.lessons.fields import Fields, Problems
from lib.messages import Message

MOST_BYTES = 200_000
MOST_ARMS, MOST_PROMPTS, MOST_CHOICES = 8, 40, 6
LARGEST_WINDOW = 1_000_000
"""Tokens."""
ENDINGS = {1: "st", 2: "nd", 3: "rd"}
ROLES = ("user", "assistant", "system")


def read_lesson(name: str, raw: bytes) -> Lesson:
    """Read the file of this name, with its ending. Raises InvalidLesson, which names every place that is wrong."""
    if len(raw) > MOST_BYTES:
        raise InvalidLesson(f"{name} has {len(raw):,} bytes; a lesson has at most {MOST_BYTES:,}.")
    try:
        values = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InvalidLesson(f"{name} is not UTF-8: byte {error.start + 1} cannot be read.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidLesson(f"{name} is not TOML: {error}.") from error
    problems = Problems()
    lesson = _lesson(name.removesuffix(".toml"), Fields("", values, problems))
    if problems.found:
        raise InvalidLesson(f"{name} is not a lesson yet: {'; '.join(problems.found)}.")
    return lesson


def _lesson(lesson_id: str, fields: Fields) -> Lesson:
    shared = fields.table("chat", may_be_missing=True)
    arms = tuple(_arm(each, shared) for each in fields.tables("arms", MOST_ARMS))
    lesson = Lesson(
        lesson_id,
        title=fields.text("title"),
        summary=fields.text("summary"),
        minutes=fields.whole("minutes", 1, 120),
        view=fields.one_of("view", VIEWS),
        prediction=_prediction(fields.table("prediction")),
        arms=arms,
        look_at=fields.texts("look_at", 10),
        explanation=fields.text("explanation"),
    )
    fields.refuse_others()
    shared.refuse_others()
    return lesson


def _prediction(fields: Fields) -> Prediction:
    choices = fields.texts("choices", MOST_CHOICES, fewest=2)
    found = Prediction(fields.text("question"), choices, fields.whole("right", 1, max(1, len(choices))) - 1)
    fields.refuse_others()
    return found


def _arm(fields: Fields, shared: Fields) -> Arm:
    """One arm; what it does not say is taken from [chat]."""
    window = fields.whole("window", 16, LARGEST_WINDOW, shared)
    reserve = fields.whole("reply", 1, LARGEST_WINDOW, shared)
    if reserve >= window > 0:
        fields.wrong("reply", "must be smaller than the window")
    arm = Arm(
        fields.text("name"),
        prompts=fields.texts("prompts", MOST_PROMPTS, fallback=shared),
        given=_given(fields),
        system_prompt=fields.text("system", shared),
        window=window,
        reserve=reserve,
        strategy=fields.one_of("strategy", tuple(STRATEGIES), shared),
        answer=fields.text("answer", shared, default=""),
        known=fields.yes("known", default=True),
        note=fields.text("note", default=""),
    )
    fields.refuse_others()
    return arm


def _given(fields: Fields) -> tuple[Message, ...]:
    """Messages as "role: text". Example: ["user: Hi", "assistant: Hello"]"""
    found = []
    for place, line in enumerate(fields.texts("given", MOST_PROMPTS, fewest=0), 1):
        role, colon, text = line.partition(":")
        if not colon or role.strip() not in ROLES:
            fields.wrong("given", f"must be lines like “user: Hello”; the {_nth(place)} is not")
        found.append(Message(role.strip(), text.strip()))
    return tuple(found)


def _nth(place: int) -> str:
    return f"{place}{ENDINGS.get(place, 'th')}"
