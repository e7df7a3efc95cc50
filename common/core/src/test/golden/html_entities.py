"""Writes the named character references of HTML 5 (the W3C table, as Python's standard library carries it).

    python3 common/core/src/test/golden/html_entities.py

One reference a line, sorted: the name without its semicolon (a name that HTML also reads without one
ends in an asterisk), a tab, its code points in hexadecimal.
"""

import html.entities
import pathlib

OUTPUT = (
    pathlib.Path(__file__).resolve().parents[2]
    / "main/resources/dev/distillery/core/text/html-entities.tsv"
)

rows = sorted(
    (name[:-1] + "*" * (name[:-1] in html.entities.html5), " ".join(f"{ord(c):X}" for c in value))
    for name, value in html.entities.html5.items()
    if name.endswith(";")
)
OUTPUT.parent.mkdir(parents=True, exist_ok=True)
OUTPUT.write_text("".join(f"{name}\t{points}\n" for name, points in rows), encoding="ascii")
print(f"{len(rows)} references to {OUTPUT}")
