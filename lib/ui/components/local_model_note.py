"""What the model on this machine is, and how to get a better one. Drawn below its name in the settings."""

from __future__ import annotations

import streamlit as st

from lib.ui.format import numbers
from lib.ui.format.text import as_markdown
from lib.ui.shell import services

PACKAGED = (
    "135 million parameters: small enough to come in a package, and here so that everything works without a key. It"
    " often gets things wrong."
)
PANEL = "better_model"


def draw() -> None:
    """One line about the model, and a panel with the ways to a better one."""
    path = services.settings().local_model
    st.caption(PACKAGED if path is None else f"From the file {as_markdown(path.name)} (`WINDOWSEAT_LOCAL_MODEL`).")
    panel = st.popover("Use a better model", icon=":material/upgrade:", type="tertiary", key=PANEL, on_change="rerun")
    if panel.open:
        with panel:
            _servers()
            st.markdown(
                "**A model file.** Set `WINDOWSEAT_LOCAL_MODEL` to any GGUF file that llama.cpp can load, and start the"
                " app again:"
            )
            st.code(
                "WINDOWSEAT_LOCAL_MODEL=~/models/NAME.gguf uv run streamlit run app.py", language="sh", wrap_lines=True
            )
            st.markdown("**A vendor.** Choose OpenAI or Anthropic as the provider, and type a key.")


def _servers() -> None:
    """The servers that answer on this machine, or which ones are looked for."""
    looked_for = [
        server.label.removesuffix(" on this machine") for server in services.settings().local_servers.values()
    ]
    if not looked_for:
        return
    found = services.local_servers().models()
    if found:
        names = [
            f"{as_markdown(services.endpoint(name).label)} ({numbers.plural(len(models), 'model')})"
            for name, models in found.items()
        ]
        st.markdown(f"**A server.** {' and '.join(names)}: choose it as the provider above.")
    else:
        st.markdown(
            f"**A server on this machine.** None answers now. Looked for: {', '.join(map(as_markdown, looked_for))}."
            " Start one, and it can be chosen as the provider above."
        )
    st.button("Look again", key="look_again", icon=":material/refresh:", on_click=_look)


def _look() -> None:
    """For callbacks: a person asked, so this one waits for the answers, up to a second."""
    services.local_servers().look()
