"""`neurograph schema`: the spec language as JSON Schema, so that editors complete and check specs as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
neurograph schema -o neurograph.schema.json
neurograph schema > neurograph.schema.json
"""


def command(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of printing.")] = None,
) -> None:
    """Print the spec language as JSON Schema.

    A spec whose first line is `#:schema neurograph.schema.json` is then completed and checked while you type, in any editor with a
    TOML language server (Even Better TOML, taplo).
    """
    from neurograph.spec.schema import spec_schema

    text = json.dumps(spec_schema(), indent=2, ensure_ascii=False)
    if out is None:
        print(text)
        return
    out.write_text(text + "\n", encoding="utf-8")
    print(f"Wrote {out}. Specs that begin with the line\n    #:schema {out.name}\nare now checked by your editor.")
