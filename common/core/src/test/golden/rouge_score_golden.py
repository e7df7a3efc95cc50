"""Writes src/test/resources/golden/rouge_score.json with the package rouge_score 0.1.2.

Run in common/core:  pip install rouge_score==0.1.2 && python src/test/golden/rouge_score_golden.py
"""

import json
import pathlib
import random
import sys

from rouge_score import rouge_scorer

TEXTS = [
    "",
    " ",
    "?!... --- \u2026",
    "Name three primary colours.",
    "name THREE primary colors",
    "\u0130stanbul'da \u0130\u0130 I\u0131",
    "273 \u212a is 0 \u00b0C; \u212aelvin; 1\u212a",
    "caf\u00e9 na\u00efve r\u00e9sum\u00e9 \u00c5ngstr\u00f6m \u212bngstrom",
    "don't stop: it's 3.14, e.g. 1,000 or 50%",
    "snake_case kebab-case CamelCase x2 2x",
    "\uff21\uff22\uff23 \uff11\uff12\uff13 fullwidth",
    "\u4f60\u597d world \ud55c\uad6d\uc5b4 text \u65e5\u672c\u8a9e",
    "Xin ch\u00e0o, b\u1ea1n kho\u1ebb kh\u00f4ng?",
    "tab\tnew\nline\r\nnbsp\u00a0zwsp\u200bend",
    "emoji \U0001f600 math \U0001d400\U0001d401 deseret \U00010400",
    "stra\u00dfe STRASSE \u1e9e \ufb01ne \u01c5 \u2160 \u24b6",
    "\u03a3\u03a3 sigma \u03a3",
    "the the the cat sat on the the mat",
    "the cat sat on the mat the the the",
    "a b c d e f g h i j",
    "j i h g f e d c b a",
    "write a poem about the sea",
    "write a short poem about the sea at night",
    "nul\u0000inside",
]


def lists(m, n, lcs):
    """A target of m tokens and a prediction of n with a common subsequence of just that length."""
    common = [f"c{i}" for i in range(lcs)]
    return (
        common + [f"t{i}" for i in range(m - lcs)],
        [f"p{i}" for i in range(n - lcs)] + common,
    )


def main():
    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    tokenize = scorer._tokenizer.tokenize
    rng = random.Random(7)
    words = "a b c d e f".split()
    texts = TEXTS + [" ".join(rng.choices(words, k=rng.randint(1, 14))) for _ in range(16)]
    texts += [" ".join(rng.choices(words, k=k)) for k in (63, 64, 65, 128, 130)]

    letters = {}
    for c in range(128, sys.maxunicode + 1):
        if not 0xD800 <= c <= 0xDFFF:
            tokens = tokenize("x" + chr(c) + "y")
            if tokens != ["x", "y"]:
                letters[c] = tokens

    table = []
    for m in range(1, 80):
        for n in range(1, 80):
            if 7 * (m + n) % 20 == 0 and 7 * (m + n) // 20 <= min(m, n):
                lcs = 7 * (m + n) // 20
                score = rouge_scorer._score_lcs(*lists(m, n, lcs)).fmeasure
                table.append([m, n, lcs, score])

    golden = {
        "tokens": [[text, tokenize(text)] for text in texts],
        "not_separators": [[c, tokens] for c, tokens in letters.items()],
        "scores": [
            [i, j, scorer.score(texts[i], texts[j])["rougeL"].fmeasure]
            for i in range(len(texts))
            for j in range(len(texts))
        ],
        "exactly_seven_tenths": table,
    }
    path = pathlib.Path(__file__).parents[1] / "resources" / "golden" / "rouge_score.json"
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
