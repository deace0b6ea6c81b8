"""The form of a chat's settings, field by field: provider, model, API key, window, strategy, summaries.

    form = settings_form.open_form(page.session_id, page.settings, lambda settings: store(page, settings))
    form.window()
    form.strategy()

After every change the form calls `on_change` with the new settings, and the caller stores them or tries them out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import streamlit as st

from lib.chat_settings import CACHE_DIAGNOSTICS, ChatSettings
from lib.errors import ChatError
from lib.generation import Generation
from lib.ui.components import generation_form, local_model_note, strategy_fields
from lib.ui.format.text import as_label
from lib.ui.providers import own
from lib.ui.shell import services, session, session_settings

WINDOW_SIZES = (
    *(64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 6144, 8192, 12_288, 16_384, 24_576, 32_768),
    *(49_152, 65_536, 98_304, 128_000, 200_000, 272_000, 400_000, 1_000_000),
)
"""Tokens; the stops of the window slider."""


class _Widget(TypedDict):
    """What all fields pass to their widget."""

    key: str
    on_change: Callable[[], None]


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """Fields over `settings`. `name` tells its widgets from those of other forms; `on_change` is called in a
    callback."""

    name: str
    settings: ChatSettings
    on_change: Callable[[ChatSettings], object]

    def provider(self) -> None:
        """Another provider brings its own model, window and reserve; the other settings stay."""
        endpoints = own.offered()
        current = self.settings.provider
        st.selectbox(
            "Provider",
            list(endpoints) if current in endpoints else [*endpoints, current],
            format_func=lambda name: own.label(endpoints, name),
            key=session.field_key(self.name, "provider"),
            on_change=self._provider_changed,
        )

    def model(self, *, explained: bool = True) -> None:
        """One of the endpoint's model, those it listed, or any name that is typed.

        Where the model is the one on this machine, a panel says how to get a better one if it is to be `explained`: it
        can be drawn once on a page, and not in another panel.
        """
        current = self.settings
        found = services.local_servers().models().get(current.provider, ())
        listed = (*found, *session.listed_models(current.provider))
        names = dict.fromkeys((current.model, services.endpoint(current.provider).model, *listed))
        st.selectbox(
            "Model",
            [name for name in names if name],
            accept_new_options=True,
            help="Choose one, or type any name the server knows.",
            **self._widget("model"),
        )
        if services.endpoint(current.provider).kind == "local":
            if explained:
                local_model_note.draw()
        elif not found:
            st.button(
                "List the server's models",
                key=session.field_key(self.name, "list_models"),
                on_click=_list_models,
                args=(current,),
                type="tertiary",
            )

    def api_key(self) -> None:
        """The key for this browser session; not drawn for the local model. It is no part of the settings."""
        endpoint = services.endpoint(self.settings.provider)
        if endpoint.kind == "local":
            return
        known = "A key is configured; one typed here is used instead." if endpoint.key else "No key is configured."
        st.text_input(
            "API key",
            type="password",
            key=session.typed_key_field(endpoint.name),
            persist_state="session",
            help=f"{known} It stays in this browser session and is never stored, logged or put into an address.",
        )

    def system_prompt(self) -> None:
        st.text_area(
            "System prompt",
            help="Instructions that are sent before the conversation, every time.",
            height=120,
            **self._widget("system_prompt"),
        )

    def window(self) -> None:
        """The context window as a number."""
        st.number_input(
            "Context window (tokens)",
            32,
            10_000_000,
            step=64,
            help=(
                "How much the model can hold at once: what it is sent plus its reply. Set a few hundred tokens to see"
                " messages dropped after a few turns."
            ),
            **self._widget("max_tokens"),
        )

    def window_slider(self, *stops: int) -> None:
        """The context window as a slider up to the model's own; `stops` are further sizes in tokens it offers."""
        model = services.find_model(self.settings.provider, self.settings.model)
        largest = (model.context_window if model is not None else None) or 128_000
        st.select_slider(
            "Context window (tokens)",
            window_sizes(largest, (self.settings.max_tokens, *stops)),
            format_func=lambda size: f"{size:,}",
            **self._widget("max_tokens"),
        )

    def reserve(self) -> None:
        """The part of the window that is kept free for the reply."""
        st.number_input(
            "Reserved for the reply (tokens)",
            8,
            1_000_000,
            step=16,
            disabled=self.settings.generation.max_reply_tokens is not None,
            help="Room kept free for the reply; also the longest reply that is asked for, unless one is set below.",
            **self._widget("reserved_for_reply"),
        )

    def generation(self) -> None:
        """Temperature, seed and the like, in a panel of its own."""
        panel = st.expander(
            "Generation settings", key=session.field_key(self.name, "generation_panel"), on_change="rerun"
        )
        if panel.open:
            with panel:
                generation_form.draw(self.name, self.settings.generation, self._generation_changed)

    def cache_diagnostics(self) -> None:
        """Whether the provider is asked why its cache missed."""
        endpoint = services.endpoint(self.settings.provider)
        st.checkbox(
            "Ask the provider why its cache missed",
            help=(
                "Cache diagnostics. Off: nothing about it is sent. On: each request has Anthropic's field `diagnostics`"
                " with the id of the reply before it, and the context-window page shows the answer. OpenAI has such a"
                " field only in its Responses protocol, and the chat uses Chat Completions, so OpenAI is not asked."
            ),
            **self._widget(CACHE_DIAGNOSTICS),
        )
        if self.settings.cache_diagnostics and endpoint.kind != "anthropic":
            st.caption(f"Not sent to {as_label(endpoint.label)}: its protocol has no field for this.")

    def strategy(self) -> None:
        """The strategy with its options."""
        strategy_fields.draw(self.settings.strategy, lambda name: session.field_key(self.name, name), self._changed)

    def summarizer(self) -> None:
        """Who writes summaries; only drawn where the strategy needs them."""
        if self.settings.strategy != "summarize":
            return
        endpoints = own.offered()
        st.selectbox(
            "Summaries are written by",
            ["", *endpoints],
            format_func=lambda name: endpoints[name].label if name in endpoints else "The model that answers",
            key=session.field_key(self.name, "summary_provider"),
            on_change=self._summarizer_changed,
        )
        writer = endpoints.get(self.settings.summary_provider)
        if writer is not None:
            names = dict.fromkeys(name for name in (self.settings.summary_model, writer.model) if name)
            st.selectbox("Their model", list(names), accept_new_options=True, **self._widget("summary_model"))

    def limits(self) -> None:
        """What the catalogue says about the model, and a warning if these settings ask for more."""
        settings = self.settings
        model = services.find_model(settings.provider, settings.model)
        if model is not None and model.context_window is not None:
            longest = f", replies of up to {model.max_output:,}" if model.max_output else ""
            st.caption(f"{as_label(model.label)}: a window of {model.context_window:,} tokens{longest}.")
            if settings.max_tokens > model.context_window:
                st.warning("This window is larger than the model's: the provider would refuse what does not fit.")
        if not settings.window.input_budget:
            st.warning("The reserve takes the whole window: nothing can be sent.")

    def _widget(self, field: str) -> _Widget:
        return {"key": session.field_key(self.name, field), "on_change": self._changed}

    def _values(self) -> dict[str, Any]:
        return session.form_values(self.name, self.settings.to_dict())

    def _changed(self) -> None:
        self.on_change(self.settings.updated(self._values()))

    def _provider_changed(self) -> None:
        fresh = session_settings.defaults(self._values()["provider"])
        current = self.settings
        kept = replace(fresh, system_prompt=current.system_prompt, strategy=current.strategy)
        self.on_change(replace(kept, generation=current.generation, cache_diagnostics=current.cache_diagnostics))

    def _generation_changed(self, generation: Generation) -> None:
        self.on_change(replace(self.settings, generation=generation))

    def _summarizer_changed(self) -> None:
        name = self._values()["summary_provider"]
        model = services.endpoint(name).model if name else ""
        self.on_change(replace(self.settings, summary_provider=name, summary_model=model))


def open_form(name: str, settings: ChatSettings, on_change: Callable[[ChatSettings], object]) -> SettingsForm:
    """A form whose widgets show these settings; they are filled again whenever the settings have changed."""
    session.fill_form(name, settings.to_dict())
    return SettingsForm(name, settings, on_change)


def window_sizes(largest: int, stops: Sequence[int]) -> list[int]:
    """The slider's sizes in tokens, in order. Example: window_sizes(100, (80, 120)) -> [64, 80, 96, 100, 120]."""
    top = max(largest, *stops)
    return sorted({*(size for size in WINDOW_SIZES if size <= top), *stops, largest})


def _list_models(settings: ChatSettings) -> None:
    """Ask the endpoint which models it has. For callbacks."""
    try:
        names = services.provider_of(settings, services.key_for(settings.provider)).models()
        session.set_listed_models(settings.provider, names)
    except ChatError as error:
        session.flash(f"{error.what} {error.next_step}")
