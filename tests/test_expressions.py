"""Every regular expression of the package takes time in proportion to the length of its text."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from itertools import product
from pathlib import Path
from re import _parser as parser  # no public way to its parts
from time import thread_time
from typing import Any

import pytest

import directlinks

ROOT = Path(directlinks.__file__).parent
USES = {"match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer"}

# Those whose text is bounded before they see it, and where that is tested.
BOUNDED = {
    "directlinks.admin.filters._ADDRESS": "tests/admin/test_links.py::TestLongSearch",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A pattern, and a method of it that the package calls."""

    name: str
    pattern: re.Pattern[Any]
    use: str

    def __str__(self) -> str:
        return f"{self.name}.{self.use}"


def expressions() -> Iterator[Expression]:
    """Each call of ``re`` in the package, compiled, with the ways in which it is used."""
    for file in sorted(ROOT.rglob("*.py")):
        source = file.read_text()
        if "import re\n" in source:
            name = ".".join(file.relative_to(ROOT.parent).with_suffix("").parts)
            yield from _in_module(name, ast.parse(source))


def _in_module(name: str, tree: ast.Module) -> Iterator[Expression]:
    names = {
        id(node.value): ast.unparse(node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
    }
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    uses: dict[str, set[str]] = {}
    for call in calls:
        if call.func.attr in USES:  # type: ignore[attr-defined]  # as above
            base = ast.unparse(call.func.value)  # type: ignore[attr-defined]
            uses.setdefault(base, set()).add(call.func.attr)  # type: ignore[attr-defined]
    named = set(names.values())
    # The name under which a pattern of a table is used cannot be seen.
    unnamed = set().union(*(found for base, found in uses.items() if base not in {"re", *named}))
    for call in calls:
        use = call.func.attr  # type: ignore[attr-defined]
        base = ast.unparse(call.func.value)  # type: ignore[attr-defined]
        if base != "re" or use not in {"compile", *USES}:
            continue
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        flags = [given["flags"]] if "flags" in given else call.args[1 if use == "compile" else 2 :]
        pattern = re.compile(_value(name, call.args[0]), *(_value(name, flag) for flag in flags))
        known = names.get(id(call), f"line {call.lineno}")
        for one in sorted(uses.get(known, unnamed)) if use == "compile" else [use]:
            yield Expression(f"{name}.{known}", pattern, one)


def _value(module: str, node: ast.expr) -> Any:
    """What ``node``, which may name what its module knows, comes to."""
    return eval(ast.unparse(node), dict(vars(import_module(module))))


def parts(pattern: re.Pattern[Any]) -> list[str]:
    """Runs of literals in ``pattern``, a character of each class, and one that is in none."""
    found = {"\0", "!"}

    def look(items: Any) -> None:
        run = ""
        for kind, value in items:
            if str(kind) == "LITERAL":
                run += chr(value)
                continue
            found.add(run)
            run = ""
            if str(kind) == "IN":
                found.update(_characters(value))
            for inner in value if isinstance(value, (tuple, list)) else ():
                if isinstance(inner, parser.SubPattern):
                    look(inner)
                elif isinstance(inner, list):
                    for branch in inner:
                        look(branch)
        found.add(run)

    look(parser.parse(pattern.pattern, pattern.flags))
    return sorted(found - {""})


def _characters(members: Any) -> Iterator[str]:
    for kind, value in members:
        if str(kind) == "LITERAL":
            yield chr(value)
        elif str(kind) == "RANGE":
            yield chr(value[0])
        elif str(kind) == "CATEGORY":
            yield {"CATEGORY_WORD": "a", "CATEGORY_DIGIT": "7"}.get(str(value), " ")


def cost(use: Callable[[Any], Any], text: Any) -> float:
    """The processor's time for ``use`` of ``text``, in seconds: others on the machine are no part
    of it."""
    begun = thread_time()
    use(text)
    return thread_time() - begun


SHORT, GROWTH = 1024, 16
# Too short to be noticed, far above what a linear expression takes for SHORT * GROWTH characters.
FLOOR = 0.1
# Of a linear expression 16; of a quadratic one 256.
MOST = 64
# Pairs of many characters would be many thousands of texts.
FEW = 8

EXPRESSIONS = list(expressions())


def slow_text(pattern: re.Pattern[Any], use: str) -> str | None:
    """Return what to repeat so that ``pattern`` takes far longer than in proportion, or None."""
    method = getattr(pattern, use)
    ask = (lambda text: list(method(text))) if use == "finditer" else method
    if use in {"sub", "subn"}:
        ask = lambda text: method(b"" if isinstance(text, bytes) else "", text)  # noqa: E731
    pieces = parts(pattern)
    pumps = [*pieces, *("".join(pair) for pair in product(pieces[:FEW], repeat=2))]
    begun = product([piece for piece in pieces if len(piece) > 1], pieces)
    for start, pump in [*(("", pump) for pump in pumps), *begun]:
        texts: list[Any] = [start + pump * (size // len(pump)) for size in (SHORT, SHORT * GROWTH)]
        if isinstance(pattern.pattern, bytes):
            texts = [text.encode("latin-1", "replace") for text in texts]
        if (long := cost(ask, texts[1])) > FLOOR and long > MOST * cost(ask, texts[0]):
            return start + pump
    return None


def test_all_are_known() -> None:
    calls = sum(
        len(re.findall(r"\bre\.(?:compile|match|fullmatch|search|sub|split)\(", file.read_text()))
        for file in ROOT.rglob("*.py")
    )
    assert len({one.name for one in EXPRESSIONS}) >= calls - 3  # a table has several in a line
    assert {str(one).rpartition(".")[0] for one in EXPRESSIONS} >= BOUNDED.keys()


@pytest.mark.parametrize(
    "expression", [one for one in EXPRESSIONS if one.name not in BOUNDED], ids=str
)
def test_its_time_is_in_proportion_to_its_text(expression: Expression) -> None:
    assert slow_text(expression.pattern, expression.use) is None


@pytest.mark.parametrize(
    ("pattern", "use"),
    [
        (r"://[^?#]*/f/", "search"),
        (r"a*b", "search"),
        (r"[0-9]+-", "sub"),
    ],
)
def test_one_that_is_quadratic_would_be_found(pattern: str, use: str) -> None:
    assert slow_text(re.compile(pattern), use) is not None
