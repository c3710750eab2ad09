from __future__ import annotations

from pathlib import Path

import pytest

from teaching.experiments.results_page import BEGIN, END, publish
from teaching.types import BadInput


def test_figures_are_replaced_and_words_kept(tmp_path: Path) -> None:
    page = publish(tmp_path / "new" / "page.md", "Title", "| 1 |")
    assert page.read_text() == f"# Title\n\n{BEGIN}\n\n| 1 |\n\n{END}\n"
    page.write_text(f"# Mine\nBefore.\n{page.read_text()}After.\n")
    told = publish(page, "Title", "| 2 |").read_text()
    assert "| 2 |" in told and "| 1 |" not in told
    assert told.startswith("# Mine\nBefore.\n") and told.endswith("After.\n")


def test_a_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    for words in ("all mine", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"):
        page.write_text(words)
        with pytest.raises(BadInput, match="to have one"):
            publish(page, "Title", "figures")
        assert page.read_text() == words
