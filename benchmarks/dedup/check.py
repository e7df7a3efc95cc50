"""Checks a run over planted duplicates: every planted pair found, no pair invented. check.py FOLDER ROWS DUPLICATES

The scores are computed here again, by rapidfuzz. Prints the times that run.sh left in FOLDER.
"""

import json
import pathlib
import subprocess
import sys

from rapidfuzz.distance import LCSseq


def f_measure(a, b):
    lcs = LCSseq.similarity(a, b)
    if not lcs:
        return 0.0
    precision, recall = lcs / len(b), lcs / len(a)
    return 2 * precision * recall / (precision + recall)


def main(folder, rows, duplicates):
    folder = pathlib.Path(folder)
    texts = {}
    with open(folder / rows / "rows.jsonl") as lines:
        for line in lines:
            row = json.loads(line)
            texts[row["id"]] = row["instruction"].split()
    subprocess.run([sys.executable, "-m", "pip", "-q", "install", "pyarrow"], check=True)
    import pyarrow.parquet

    found = pyarrow.parquet.read_table(duplicates).to_pylist()
    dropped = {row["id"]: row for row in found}
    invented = wrong = 0
    for row in found:
        score = f_measure(texts[row["id"]], texts[row["kept_id"]])
        invented += score <= 0.7 or row["kept_id"] in dropped or row["kept_id"] >= row["id"]
        wrong += score != row["score"]
    planted = missed = 0
    with open(folder / rows / "planted.jsonl") as lines:
        for line in lines:
            pair = json.loads(line)
            # A base may itself be the duplicate of an earlier row; its own duplicate need not be one then.
            if pair["above"] and pair["base"] not in dropped:
                planted += 1
                hit = dropped.get(pair["id"])
                missed += hit is None or hit["kept_id"] > pair["base"]
    label = f"planted-{rows}"
    summary = json.loads((folder / f"{label}.json").read_text().splitlines()[-1])
    wall, user, system = map(float, (folder / f"{label}.time").read_text().split())
    print(
        f"{rows} rows: job {summary['seconds']:.1f} s, process {wall:.1f} s wall, {user + system:.1f} s CPU; "
        f"{len(found)} duplicates; planted {planted}, missed {missed}; invented {invented}, wrong scores {wrong}"
    )
    sys.exit(bool(missed or invented or wrong))


if __name__ == "__main__":
    main(*sys.argv[1:])
