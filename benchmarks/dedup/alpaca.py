"""The 52,002 instructions of Alpaca: as rows in the order of the release, and our time beside that of the peers.

alpaca.py rows SHARDS OUT.jsonl
alpaca.py compare FOLDER LABEL     (rows of FOLDER/LABEL.jsonl; times that run.sh left there)
"""

import json
import pathlib
import random
import re
import sys
import time


def rows(shards, out):
    files = sorted(pathlib.Path(shards).glob("*.json"), key=lambda f: int(f.name.split("-")[1]))
    number = 0
    with open(out, "w") as target:
        for file in files:
            for row in json.loads(file.read_text()):
                target.write(json.dumps({"id": f"alpaca-{number:05d}", **row}) + "\n")
                number += 1
    print(f"{number} rows of Alpaca in {out}")


def rouge_score_hours(texts, pairs=20_000):
    """CPU hours of comparing every row with every earlier one, from a sample; tokens are cached, as Alpaca does."""
    from rouge_score import rouge_scorer

    scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
    tokens = [scorer._tokenizer.tokenize(text) for text in texts]
    rng = random.Random(7)
    sample = [rng.sample(range(len(texts)), 2) for _ in range(pairs)]
    start = time.process_time()
    for i, j in sample:
        rouge_scorer._score_lcs(tokens[i], tokens[j])
    seconds = (time.process_time() - start) / pairs
    return seconds * len(texts) * (len(texts) - 1) / 2 / 3600


def rapidfuzz_seconds(texts):
    """CPU seconds of all pairs in C++: one character for each token, so that Indel's similarity is ROUGE-L's F."""
    import numpy
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    characters = {}
    encoded = []
    for text in texts:
        words = re.findall("[a-z0-9]+", text.lower())
        # Past the surrogates, which no string of another process may hold.
        encoded.append("".join(chr(0xE000 + characters.setdefault(w, len(characters))) for w in words))
    start = time.process_time()
    above = 0
    step = 2_000
    for first in range(0, len(encoded), step):
        scores = process.cdist(
            encoded[first : first + step],
            encoded,
            scorer=Indel.normalized_similarity,
            score_cutoff=0.7,
            dtype=numpy.float32,
            workers=2,
        )
        above += int(numpy.count_nonzero(scores > 0.7))
    return time.process_time() - start, (above - len(encoded)) // 2


def times(folder, label):
    """Wall and CPU seconds of a process."""
    wall, user, system = map(float, (folder / f"{label}.time").read_text().split())
    return wall, user + system


def compare(folder, label):
    folder = pathlib.Path(folder)
    with open(folder / f"{label}.jsonl") as lines:
        texts = [json.loads(line)["instruction"] for line in lines]
    summary = json.loads((folder / f"{label}.json").read_text().splitlines()[-1])
    wall, cpu = times(folder, label)
    _, idle = times(folder, "one")
    python = rouge_score_hours(texts) * 3600
    cpp, pairs = rapidfuzz_seconds(texts)
    print(f"kept                       {summary['figures']['kept']} of {summary['figures']['in']}")
    print(f"job time                   {summary['seconds']:.1f} s (target 6)")
    print(f"whole process              {wall:.1f} s wall (target 20), {cpu:.1f} s CPU, of which {idle:.1f} s for one row")
    print(f"rouge_score, extrapolated  {python / 3600:.1f} core hours: {python / summary['seconds']:.0f} times the job (target 1,000)")
    print(f"rapidfuzz, all pairs       {cpp:.1f} s CPU, {pairs} pairs above 0.7: {cpp / (cpu - idle):.1f} times what the rows cost us, {cpp / cpu:.1f} times our whole process")


if __name__ == "__main__":
    {"rows": rows, "compare": compare}[sys.argv[1]](*sys.argv[2:])
