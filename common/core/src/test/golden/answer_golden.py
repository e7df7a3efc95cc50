"""Writes src/test/resources/golden/answers.json: BLEU by sacrebleu, exact match and F1 by the formula of SQuAD's script.

Run in common/core:  pip install sacrebleu==2.6.0 lm_eval==0.4.13 && python src/test/golden/answer_golden.py

The formula is taken from where lm_eval carries it (tasks/longbench/metrics.py), whose other imports are not needed.
"""

import ast
import collections
import json
import pathlib
import random
import re
import string

import lm_eval.tasks
import sacrebleu

PAIRS = [
    ("The cat sat on the mat.", "the cat sat on a mat"),
    ("", ""),
    ("", "a"),
    ("the", "a an the"),
    ("An apple, a day!", "apple day"),
    ("Leonardo da Vinci", "da Vinci"),
    ("da Vinci Leonardo", "Leonardo da Vinci"),
    ("it's 3.14, i.e. about 3", "its 314 ie about 3"),
    ("\u00e9a a\u00e9 a \u00e9 the\u00e9", "\u00e9a a\u00e9 \u00e9 the\u00e9"),
    ("no\u00a0break a\u00a0b", "no break b"),
    ("\u4f60\u597d the \u4e16\u754c", "\u4f60\u597d \u4e16\u754c"),
    ("\u0130stanbul \u039f\u03a3 STRASSE", "i\u0307stanbul \u03bf\u03c2 strasse"),
    ("snake_case kebab-case the-end", "snakecase kebabcase theend"),
    ("\u201cquoted\u201d \u2014 dash", "quoted dash"),
    ("a b b c c c", "c c b d"),
    ("tab\tnew\nline", "tab new line"),
]
WORDS = "the a cat dog sat, on 3.5 1,000 mat. runs; (fast) \"very\" &amp; well-known U.S. isn't \u00e9t\u00e9 it's 5-6 -7 $9 <skipped> x/y".split()


def squad():
    source = (pathlib.Path(lm_eval.tasks.__file__).parent / "longbench" / "metrics.py").read_text(encoding="utf-8")
    wanted = {"normalize_answer", "f1_score"}
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name in wanted]
    assert {node.name for node in functions} == wanted
    from typing import Union

    names = {"re": re, "string": string, "Counter": collections.Counter, "Union": Union}
    exec(compile(ast.Module(functions, []), "metrics.py", "exec"), names)
    return names["normalize_answer"], names["f1_score"]


def main():
    normalize, f1 = squad()
    rng = random.Random(7)
    pairs = list(PAIRS)
    for _ in range(200):
        answer = [rng.choice(WORDS) for _ in range(rng.randrange(8))]
        right = [rng.choice(answer + WORDS[:4]) for _ in range(rng.randrange(8))]
        pairs.append((" ".join(answer), " ".join(right)))
    matches = []
    for answer, right in pairs:
        found, wanted = normalize(answer), normalize(right)
        both = f1(found.split(), wanted.split()) if found and wanted else int(found == wanted)
        matches.append([answer, right, int(found == wanted), both])
    sets = [
        ([""], [["the cat"]]),
        (["the cat"], [["the cat"]]),
        (["the dog ran"], [["a cat sat"]]),
        (["The cat sat on the mat.", "It rains, 3.5 mm -- or 1,000?"], [["The cat is on the mat.", "There is a cat on the mat."], ["It rains 3.5 mm, or 1,000!"]]),
        (["line one\nline two", "hy-\nphen &quot;x&quot; &lt;b&gt;"], [["line one line two"], ["hyphen \"x\" <b>"]]),
        (["Le \u00ab chat \u00bb dort\u2026", "\u4f60\u597d\u3002 5-6"], [["Le chat dort\u2026"], ["\u4f60\u597d\u3002 5 - 6"]]),
        (["a b c d", "a b"], [["a b c", "a b c d e"], ["a b c", "a"]]),
    ]
    for _ in range(40):
        answers, references = [], []
        for _ in range(rng.randrange(1, 6)):
            answer = [rng.choice(WORDS) for _ in range(rng.randrange(1, 14))]
            answers.append(" ".join(answer))
            references.append([" ".join(word if rng.random() < 0.7 else rng.choice(WORDS) for word in answer[rng.randrange(2):] + ["end."])
                               for _ in range(rng.randrange(1, 4))])
        sets.append((answers, references))
    bleus = []
    for answers, references in sets:
        most = max(map(len, references))
        columns = [[some[i] if i < len(some) else None for some in references] for i in range(most)]
        bleu = sacrebleu.corpus_bleu(answers, columns)
        bleus.append({"answers": answers, "references": references, "score": bleu.score, "counts": bleu.counts, "totals": bleu.totals,
                      "length": bleu.sys_len, "reference": bleu.ref_len})
    out = pathlib.Path("src/test/resources/golden/answers.json")
    out.write_text(json.dumps({"matches": matches, "bleu": bleus}, ensure_ascii=True, indent=0) + "\n", encoding="utf-8", newline="\n")


main()
