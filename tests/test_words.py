"""The package and its documents are written in plain words."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "directlinks"

LITERARY = re.compile(
    r"\b(?:who(?:m|se)?(?:so)?ever|nobody|no one|somebody|anybody|what(?:so)?ever|wherever"
    r"|whence|hence|thence|whither|thither|where(?:in|of|upon)|there(?:in|of|upon)|amiss|lest|alas"
    r"|upon|so many|so much)\b",
    re.IGNORECASE,
)
# Words of other people's interfaces, and of tables that are written by a program.
ALLOWED = {
    "directlinks/delivery/responses.py": 3,  # ``whence`` is an argument of ``seek()``
    "docs/benchmarks.md": 2,  # a heading of its tables: one of so many links
}


def written() -> Iterator[Path]:
    for pattern in ("*.py", "*.html", "*.txt", "*.js", "*.css"):
        yield from PACKAGE.rglob(pattern)
    yield from (ROOT / "docs").rglob("*.md")
    yield from (ROOT / "README.md", ROOT / "CHANGELOG.md")


def test_literary_words_are_not_used() -> None:
    found = Counter(
        str(path.relative_to(ROOT))
        for path in written()
        for _ in LITERARY.finditer(path.read_text(encoding="utf-8"))
    )

    assert found == ALLOWED
    assert sum(ALLOWED.values()) <= 5


NOUN_PHRASE = re.compile(
    r"(?:The|A|An|This|That|Those|These|What|Whether|Which|Who|How|Why|When|Where|One|None)\b|``"
)


def functions(
    node: ast.AST, *, prefix: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        name = f"{prefix}.{getattr(child, 'name', '')}".rstrip(".")
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not is_property(child):
            yield name, child
        yield from functions(child, prefix=name)


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A property is what it is called, so its docstring may be a noun phrase."""
    return any("property" in ast.unparse(decorator) for decorator in function.decorator_list)


def test_docstrings_of_functions_say_what_a_call_does() -> None:
    wrong = [
        f"{name}: {docstring.splitlines()[0]}"
        for path in PACKAGE.rglob("*.py")
        for name, function in functions(
            ast.parse(path.read_text(encoding="utf-8")), prefix=path.stem
        )
        if (docstring := ast.get_docstring(function)) and NOUN_PHRASE.match(docstring)
    ]

    assert wrong == []
