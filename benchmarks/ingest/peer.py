"""Reads a file as a plain Python program would, in one process, writes what it makes of it, and prints its throughput.

    python3 peer.py fastchat dialogues.json   # FastChat's own cleaning of each dialogue, after json.load and before json.dump
    python3 peer.py posts Posts.xml           # iterparse, group, score, pair, and Markdown by markdownify

Needs what the goldens of ShareGPT need: fschat, beautifulsoup4, markdownify==0.11.6, tqdm.
"""

import itertools
import json
import math
import os
import sys
import tempfile
import time
import warnings
from xml.etree import ElementTree

warnings.filterwarnings("ignore")


def fastchat(path):
    from fastchat.data.clean_sharegpt import clean_html_one_sample

    with open(path, encoding="utf-8") as file:
        samples = json.load(file)
    kept = []
    for sample in samples:
        cleaned, code = clean_html_one_sample(sample)
        if code == 0:
            kept.append(cleaned)
    with tempfile.TemporaryFile("w", encoding="utf-8") as out:
        json.dump(kept, out, indent=2, ensure_ascii=False)
    return len(kept)


def posts(path):
    import markdownify

    questions, answers = {}, {}
    for _, row in ElementTree.iterparse(path):
        kind = row.get("PostTypeId")
        if kind in ("1", "2"):
            text = markdownify.markdownify(row.get("Body")).strip()
            if kind == "1":
                questions[row.get("Id")] = (row.get("AcceptedAnswerId"), row.get("Title"), text)
            else:
                answers.setdefault(row.get("ParentId"), []).append((row.get("Id"), int(row.get("Score")), text))
        row.clear()
    pairs = 0
    with tempfile.TemporaryFile("w", encoding="utf-8") as out:
        for question, (accepted, title, text) in questions.items():
            scored = [
                (-1 if votes < 0 else round(math.log2(1 + votes)) + (post == accepted), post, answer)
                for post, votes, answer in answers.get(question, [])
            ]
            different = [(a, b) for a, b in itertools.combinations(scored, 2) if a[0] != b[0]]
            for a, b in different[:10]:
                better, worse = max(a, b), min(a, b)
                row = {"prompt": f"{title}\n\n{text}", "chosen": better[2], "rejected": worse[2], "answers": [better[1], worse[1]]}
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                pairs += 1
    return pairs


kind, path = sys.argv[1], sys.argv[2]
start, cpu = time.perf_counter(), time.process_time()
count = {"fastchat": fastchat, "posts": posts}[kind](path)
size = os.path.getsize(path) / 1e6
seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
print(f"python {kind}: {size:.0f} MB, {count} kept, {seconds:.1f} s, {cpu:.1f} s of processor, {size / cpu:.2f} MB/s a core")
