"""Pages of results: what a command made stands between two marks; the words around it are a person's and are kept."""

from __future__ import annotations

from pathlib import Path

from teaching.types import BadInput

BEGIN, END = "<!-- figures: made by the command below, not by hand -->", "<!-- end of figures -->"


def publish(path: Path, title: str, figures: str) -> Path:
    """Put figures into a page between the marks, or begin a page with them.

    Raises:
        BadInput: the page is there but has not exactly one pair of marks; nothing was written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    page = path.read_text(encoding="utf-8") if path.is_file() else f"# {title}\n\n{BEGIN}\n{END}\n"
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise BadInput(f"expected {path} to have one '{BEGIN}' and, below it, one '{END}'; add them or move it away")
    path.write_text(f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}", encoding="utf-8")
    return path
