"""`benchmarks/RESULTS.md`: each benchmark has a part of its own there, and rewrites no other."""

from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parent / "RESULTS.md"
HEAD = """# Results

Each part is written by the command that it names; do not edit. Absolute figures are of one machine with two cores,
which may have done other work meanwhile; read them as ratios within one table."""


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(titles) + " |", "|" + "---|" * len(titles)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def put(name: str, text: str, page: Path = PAGE) -> None:
    """Make `text` the part `name` of the page, in the place of what it was, or at the end."""
    begin, end = f"<!-- part: {name} -->", f"<!-- end: {name} -->"
    old = page.read_text(encoding="utf-8") if page.exists() else f"{HEAD}\n"
    before, found, rest = old.partition(begin)
    after = rest.partition(end)[2].strip() if found else ""
    parts = (before.strip(), begin, text, end, after)
    page.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")
    print(f"{name}: written into {page.name}")
