"""The st.session_state keys that several pages use, each behind a function; those of one page are in its state.py.

Session state holds ids, plain choices and the API keys typed in this browser session: nothing that would be missed if
it were lost, and no service objects. The id of the open chat is also in the URL as `?session=`; where the two differ,
the URL wins.

Key names: "noun" for one value of the browser session, "noun:owner" for one per chat or endpoint, "form:field" for the
fields of a form.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from lib.access.visitor_cookie import new_owner
from lib.history import valid_session_id
from lib.messages import utf8_safe

URL_SESSION, URL_TURN = "session", "turn"
PROMPT = "prompt"
"""Key of the chat input: holds its text, and can put a text back into it."""
CONTEXT_WINDOW_TAB = "context_window_tab"
PICKED_TURN = "picked_turn"
CHECKED_RULES = "lint_rules"
SESSION_ID, REFUSED_ID, FROM_ADDRESS = "session_id", "refused_id", "from_address"
LAST_SETTINGS = "last_settings"
PASSING_OWNER = "passing_owner"
EDITING, CHOSEN_MESSAGE, FLASH, BROKEN_ANSWER = "editing", "chosen_message", "flash", "broken_answer"


def session_id() -> tuple[str, bool]:
    """The open chat's id, and whether it was created by this call.

    It is the URL's, else this browser session's, else a new one. Keeps the URL in step.
    """
    new = False
    from_url = st.query_params.get(URL_SESSION, "")
    if from_url and valid_session_id(from_url):
        if from_url != st.session_state.get(SESSION_ID):
            st.session_state[FROM_ADDRESS] = from_url
        st.session_state[SESSION_ID] = from_url
    elif SESSION_ID not in st.session_state:
        st.session_state[SESSION_ID] = str(uuid.uuid4())
        new = True
    current: str = st.session_state[SESSION_ID]
    if from_url != current:
        st.query_params[URL_SESSION] = current
        st.session_state[REFUSED_ID] = bool(from_url)
    return current, new


def refused_id() -> bool:
    """Whether the URL had a session id that cannot exist. True once."""
    return bool(st.session_state.pop(REFUSED_ID, False))


def came_by_address() -> bool:
    """Whether the open chat was asked for by an address, and not opened or created on a page."""
    return st.session_state.get(FROM_ADDRESS) == st.session_state.get(SESSION_ID)


def passing_owner() -> str:
    """Who owns what is begun in this browser session if the browser keeps no cookie."""
    owner: str = st.session_state.setdefault(PASSING_OWNER, new_owner())
    return owner


def last_settings() -> Mapping[str, Any]:
    """The chat settings a person chose last in this browser session; empty where there are none."""
    chosen: Mapping[str, Any] = st.session_state.get(LAST_SETTINGS, {})
    return chosen


def set_last_settings(settings: Mapping[str, Any]) -> None:
    """Remember chat settings for the next new chat."""
    st.session_state[LAST_SETTINGS] = dict(settings)


def open_session(new_id: str | None = None) -> None:
    """Go to another chat (a new one by default) at the next rerun. For callbacks."""
    st.session_state[SESSION_ID] = new_id or str(uuid.uuid4())
    st.query_params[URL_SESSION] = st.session_state[SESSION_ID]
    st.query_params.pop(URL_TURN, None)
    st.session_state.pop(EDITING, None)


def typed_prompt() -> str:
    """The text in the chat input. For its callback."""
    return st.session_state.get(PROMPT) or ""


def put_back(text: str) -> None:
    """Put a text into the chat input. For callbacks."""
    st.session_state[PROMPT] = utf8_safe(text)


def editing() -> int | None:
    """Stored index of the user message that the next message replaces, None for an ordinary one."""
    index: int | None = st.session_state.get(EDITING)
    return index


def set_editing(index: int | None) -> None:
    """Make the next message a replacement, or an ordinary one again."""
    st.session_state[EDITING] = index


def flash(text: str) -> None:
    """Leave a line for the next rerun to show once."""
    st.session_state[FLASH] = text


def take_flash() -> str | None:
    """The line left by `flash`, once; None where there is none."""
    line: str | None = st.session_state.pop(FLASH, None)
    return line


def typed_key_field(endpoint: str) -> str:
    """Widget key of the field for this endpoint's API key."""
    return f"key:{endpoint}"


def typed_key(endpoint: str) -> str | None:
    """The API key typed for this endpoint in this browser session."""
    return (st.session_state.get(typed_key_field(endpoint)) or "").strip() or None


def listed_models(endpoint: str) -> list[str]:
    """Model names that the endpoint listed in this browser session."""
    names: list[str] = st.session_state.get(f"models:{endpoint}", [])
    return names


def set_listed_models(endpoint: str, names: list[str]) -> None:
    """Remember the model names an endpoint listed."""
    st.session_state[f"models:{endpoint}"] = names


def first_drawn(session: str, default: int) -> int:
    """Index of the first message the transcript draws: the default, or an earlier one that a person went back to."""
    earliest: int = st.session_state.get(f"first_drawn:{session}", default)
    return min(default, earliest)


def draw_from(session: str, index: int) -> None:
    """Draw messages from this index on. For callbacks."""
    st.session_state[f"first_drawn:{session}"] = max(0, index)


def draw_newest(session: str) -> None:
    """Draw only the newest messages again."""
    st.session_state.pop(f"first_drawn:{session}", None)


def turn_in_url() -> str | None:
    """The request in the URL's `?turn=`: a turn's number, or "m7" for message 7; None where there is none."""
    return st.query_params.get(URL_TURN) or None


def set_turn_in_url(key: str) -> None:
    """Put a request into the URL. For callbacks."""
    st.query_params[URL_TURN] = key


def put_picked_turn_into_url() -> None:
    """Put the request chosen on the slider into the URL. For the slider's callback."""
    set_turn_in_url(st.session_state[PICKED_TURN])


def choose_message(index: int | None) -> None:
    """Bring a stored message into view on the context-window page. For callbacks."""
    st.session_state[CHOSEN_MESSAGE] = index


def chosen_message() -> int | None:
    """Stored index of the message to bring into view."""
    index: int | None = st.session_state.get(CHOSEN_MESSAGE)
    return index


def turn_page(key: str, pages: int, chosen: int | None, page_of_chosen: int) -> None:
    """Set the pagination widget `key` before it is drawn: to the page of the chosen message when another one was
    chosen, to the last page at first, and never past it. Pages count from 1."""
    seen = f"{key}:chosen"
    if chosen is not None and st.session_state.get(seen) != chosen:
        st.session_state[seen] = chosen
        st.session_state[key] = page_of_chosen
    st.session_state[key] = min(st.session_state.get(key, pages), pages)


def checked_rules() -> str | None:
    """Whose rules the next request is checked against, where a person chose."""
    rules: str | None = st.session_state.get(CHECKED_RULES)
    return rules


def set_broken_answer(values: list[Any]) -> None:
    """Keep the answer to a request that was broken on purpose."""
    st.session_state[BROKEN_ANSWER] = values


def broken_answer() -> list[Any] | None:
    """The last answer to a request that was broken on purpose."""
    values: list[Any] | None = st.session_state.get(BROKEN_ANSWER)
    return values


def set_widget(key: str, value: object) -> None:
    """Give a widget its value: before it is drawn, or in a callback."""
    st.session_state[key] = value


def start_widget(key: str, value: object) -> None:
    """Give a widget its first value, before it is drawn. One that it has already stays."""
    st.session_state.setdefault(key, value)


def triggered(key: str, name: str) -> Any:
    """What the component with this key just reported under `name`; None where it did not. For callbacks."""
    return st.session_state[key].get(name)


def field_key(form: str, name: str) -> str:
    """Widget key of a form's field. `form` tells its widgets from those of other forms."""
    return f"{form}:{name}"


def fill_form(form: str, values: Mapping[str, Any]) -> None:
    """Give a form's widgets these values: at first, and whenever the values have changed since.

    What a person typed stays where the values are the same as before: when storing it failed, it is still there.
    """
    keys = {name: field_key(form, name) for name in values}
    filled = field_key(form, "filled")
    if st.session_state.get(filled) == values and all(key in st.session_state for key in keys.values()):
        return
    st.session_state[filled] = dict(values)
    for name, value in values.items():
        st.session_state[keys[name]] = utf8_safe(value) if isinstance(value, str) else value


def form_values(form: str, names: Iterable[str]) -> dict[str, Any]:
    """What a form's widgets hold, without those that are empty or not there."""
    values = {name: st.session_state.get(field_key(form, name)) for name in names}
    return {name: value for name, value in values.items() if value is not None}
