"""The package and its documents are written in plain words."""

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


def test_literary_words_are_not_used():
    found = Counter(
        str(path.relative_to(ROOT))
        for path in written()
        for _ in LITERARY.finditer(path.read_text(encoding="utf-8"))
    )

    assert found == ALLOWED
    assert sum(ALLOWED.values()) <= 5
