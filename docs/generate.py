"""Write what the documentation takes from the code: the grammar's tables in description.md, and
pipegen.schema.json."""

from __future__ import annotations

import json
from pathlib import Path

from pipegen.cli.schema import words_of_targets
from pipegen.description.grammar import table
from pipegen.description.json_schema import schema

DOCS = Path(__file__).parent
BEGIN = "<!-- grammar: written by docs/generate.py -->"
END = "<!-- end of grammar -->"


def pages() -> dict[Path, str]:
    """Each generated page and what it should hold."""
    words = words_of_targets()
    page = DOCS / "description.md"
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    tail = rest.partition(END)[2]
    return {
        page: f"{head}{BEGIN}\n\n{table(words)}\n{END}{tail}",
        DOCS / "pipegen.schema.json": json.dumps(schema(words), indent=2, ensure_ascii=False) + "\n",
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
