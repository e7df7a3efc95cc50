"""What datatrove's Gopher and C4 filters say of 240 texts of our own: golden/gopher-c4.json.

    python -m venv v && v/bin/pip install datatrove==0.10.1 nltk
    v/bin/python common/core/src/test/golden/gopher_c4.py common/core/src/test/resources/golden/gopher-c4.json

Words are cut by white space and sentences at . ? ! before white space, on both sides: what is compared are
the filters' rules, not two tokenizers.
"""

import json
import random
import re
import sys

import datatrove.pipeline.filters.c4_filters as c4
import datatrove.pipeline.filters.gopher_quality_filter as quality
import datatrove.pipeline.filters.gopher_repetition_filter as repetition
from datatrove.data import Document

END = re.compile(r"[.?!]+[\"')\]]*(?=\s|$)")


def sentences(line, language=None):
    ends = list(END.finditer(line))
    last = ends[-1].end() if ends else 0
    return [m.group() for m in ends] + ([line[last:]] if line[last:].strip() else [])


def words(text, language=None):
    return text.split()


c4.split_into_sentences = sentences
quality.split_into_words = words
repetition.split_into_words = words

SUBJECTS = "the baker|a small river|my neighbour|the old library|that machine|the committee|every student|a red fox".split("|")
VERBS = "carried|examined|forgot|painted|measured|described|followed|repaired".split("|")
OBJECTS = "the wooden boat|a map of the valley|of the seven bridges|to the market with flour|and the letter|an answer that nobody expected|le café d'été|naïve ideas".split("|")
ENDS = ["in the morning.", "before the rain!", "with great care.", "as they have done for years.", "why not?", "at night"]
ODD = ["This line has a { in it, you see.", "Please enable JavaScript to read on.", "We use cookies on this site, friend.",
       "Lorem ipsum dolor sit amet, they say.", "See the note[12] and the source[citation needed].", "x" * 1100 + " is a long word.",
       "Too short.", "No end to this line of words", "It trails off ...", "and so on…", "- a bullet", "• another bullet", "# heading # of # signs",
       "12 34 56 78 90 11 22", "-- ** && ==", "日本語 の 文 です 。", "emoji 🙂 stands here 🙂 and there.", "tab\tand\u00a0no-break space.", "a\u2028b c d."]


def sentence(r):
    return " ".join([r.choice(SUBJECTS), r.choice(VERBS), r.choice(OBJECTS), r.choice(ENDS)])


def text(i):
    r = random.Random(i)
    kind = i % 16
    lines = [sentence(r).capitalize() + (" " + sentence(r) if r.random() < 0.5 else "") for _ in range(r.randint(3, 14))]
    if kind == 1:
        lines += [lines[0]] * r.randint(1, len(lines))
    if kind == 2:
        lines = [line for line in lines for _ in range(r.choice([1, 1, 2]))]
    if kind == 3:
        lines.insert(r.randrange(len(lines)), " ".join([r.choice(SUBJECTS)] * r.randint(3, 40)))
    if kind == 4:
        lines = ["- " + line if r.random() < 0.97 else line for line in lines]
    if kind == 5:
        lines = [line + r.choice(["...", "…", "", ""]) for line in lines]
    if kind in (6, 7):
        for _ in range(r.randint(1, 6)):
            lines.insert(r.randrange(len(lines)), r.choice(ODD))
    if kind == 8:
        lines = lines[: r.randint(0, 3)]
    if kind == 9:
        lines = [" ".join(str(r.randint(0, 10 ** 9)) for _ in range(12)) for _ in lines]
    if kind == 10:
        lines = ["incomprehensibilities notwithstanding counterrevolutionaries" for _ in lines]
    if kind == 11:
        lines = [" ".join("abcdefgh"[r.randrange(8)] for _ in range(20)) for _ in lines]
    if kind == 12:
        lines = [" # ".join(line.split(" ", 4)) for line in lines]
    if kind == 13:
        lines = [line.replace(" ", r.choice(["... ", "… "]), r.randint(0, 3)) for line in lines]
    if kind == 14:
        lines = [re.sub(r"(?i)\b(the|and|to|of|with|have|that)\b", "une", line) for line in lines]
    if kind == 15:
        lines = [f"Item {n}: {line}" for n, line in enumerate(lines)]
    return r.choice(["\n", "\n", "\n\n", "\r\n", "\n\n\n"]).join(lines) + r.choice(["", "\n", "  "])


def said(verdict):
    return "" if verdict is True else verdict[1]


def main(path):
    rows = []
    for i in range(240):
        t = text(i)
        page = Document(text=t, id=str(i))
        row = {"text": t, "repetition": said(repetition.GopherRepetitionFilter().filter(Document(text=t, id=str(i))))}
        try:
            row["quality"] = said(quality.GopherQualityFilter().filter(Document(text=t, id=str(i))))
        except ZeroDivisionError:
            row["quality"] = "gopher_short_doc"
        row["c4"] = said(c4.C4QualityFilter().filter(page))
        row["c4_text"] = page.text if row["c4"] == "" else ""
        rows.append(row)
    with open(path, "w", encoding="utf-8") as out:
        out.write("[\n" + ",\n".join(json.dumps(row, ensure_ascii=True) for row in rows) + "\n]\n")
    for name in ("repetition", "quality", "c4"):
        counts = {}
        for row in rows:
            counts[row[name]] = counts.get(row[name], 0) + 1
        print(name, dict(sorted(counts.items())))


if __name__ == "__main__":
    main(sys.argv[1])
