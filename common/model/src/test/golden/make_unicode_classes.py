"""Writes src/main/resources/.../tokenizer/unicode-classes.txt: the character classes of the regular
expressions that pre-tokenizers use, as the tokenizers library itself sees them (its regex engine
and Rust know a newer Unicode than Java 17 does). Run with tokenizers installed:
    python make_unicode_classes.py
"""

import pathlib

import tokenizers
from tokenizers import Regex
from tokenizers.pre_tokenizers import Digits, Split

OUT = (
    pathlib.Path(__file__).parents[2]
    / "main/resources/dev/distillery/model/tokenizer/unicode-classes.txt"
)
CLASSES = [
    ("L", "letters, \\p{L}", Split(Regex(r"\p{L}"), "isolated")),
    ("N", "numbers, \\p{N}", Split(Regex(r"\p{N}"), "isolated")),
    ("S", "white space, \\s", Split(Regex(r"\s"), "isolated")),
    ("C", "letters but small ones, and marks: \\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}",
     Split(Regex(r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"), "isolated")),
    ("M", "letters but capitals, and marks: \\p{Ll}\\p{Lm}\\p{Lo}\\p{M}",
     Split(Regex(r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"), "isolated")),
    ("D", "what the Digits pre-tokenizer takes for a digit", Digits(individual_digits=True)),
]


def ranges(matches):
    start = None
    for point in range(0x110001):
        if point < 0x110000 and not 0xD800 <= point <= 0xDFFF and matches(point):
            start = point if start is None else start
        elif start is not None:
            yield start, point - 1
            start = None


with OUT.open("w") as out:
    out.write(f"# As tokenizers {tokenizers.__version__} has them: make_unicode_classes.py\n")
    for name, meaning, pre in CLASSES:
        out.write(f"# {name}: {meaning}\n")
        # U+0001 is in none of the classes.
        for a, b in ranges(lambda p: p != 1 and len(pre.pre_tokenize_str(f"\x01{chr(p)}\x01")) > 1):
            out.write(f"{name} {a:X} {b:X}\n" if a != b else f"{name} {a:X}\n")
