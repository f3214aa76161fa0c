"""Figures of the cut, from the source alone, and the modules that a call runs through."""

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType

PACKAGE = Path(__file__).parents[2] / "directlinks"


def module_of(path: Path) -> str:
    """Return the dotted path of the module in the file at ``path``."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources() -> dict[str, str]:
    """Return the source of each module but migrations and empty files, by its dotted path."""
    files = (path for path in PACKAGE.rglob("*.py") if "migrations" not in path.parts)
    return {module_of(path): text for path in sorted(files) if (text := path.read_text())}


def imports_of(source: str, modules: set[str]) -> set[str]:
    """Return those of ``modules`` that ``source`` imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & modules) or ({node.module} & modules)
    return found


def cut() -> dict[str, int]:
    """Return figures of the cut: lines are counted with comments and blank ones."""
    texts = sources()
    lines = {module: len(text.splitlines()) for module, text in texts.items()}
    importers = Counter(
        imported for text in texts.values() for imported in imports_of(text, set(texts))
    )
    return {
        "modules": len(lines),
        "median of lines": int(statistics.median(lines.values())),
        "largest": max(lines.values()),
        "imported by one module only": sum(number == 1 for number in importers.values()),
    }


def opened_by(journey: Callable[[], object]) -> list[str]:
    """Return the modules of the package whose functions run in ``journey``."""
    files: set[str] = set()

    # What a profiler runs is not measured.
    def note(frame: FrameType, event: str, arg: object) -> None:  # pragma: no cover
        if event == "call":
            files.add(frame.f_code.co_filename)

    sys.setprofile(note)
    try:
        journey()
    finally:
        sys.setprofile(None)
    paths = (Path(file) for file in files)
    return sorted(module_of(path) for path in paths if path.is_relative_to(PACKAGE))
