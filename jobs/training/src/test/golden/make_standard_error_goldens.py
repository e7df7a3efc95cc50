"""Makes src/test/resources/golden/evaluate/standard-errors.json: what numpy and scipy say of the figures of a few hundred items.

    pip install numpy scipy    # made with numpy 2.4, scipy 1.17
    python make_standard_error_goldens.py

The standard error of a mean is lm-evaluation-harness's mean_stderr: the sample's standard deviation over the square root of n, which is
scipy.stats.sem. Those of ratios (perplexities, bits per byte) are standard deviations of bootstrap draws of items, as the harness has them.
"""
import json
import os

import numpy as np
from scipy import stats

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "resources", "golden", "evaluate", "standard-errors.json")
ITEMS = 400
DRAWS = 100000
draw = np.random.default_rng(20)


def bootstrap(figure, *values):
    found = np.empty(DRAWS)
    for i in range(DRAWS):
        chosen = draw.integers(0, ITEMS, ITEMS)
        found[i] = figure(*(value[chosen] for value in values))
    return {"value": float(figure(*values)), "stderr": float(found.std(ddof=1))}


def main():
    acc = (draw.random(ITEMS) < 0.3).astype(float)
    tokens = draw.integers(5, 200, ITEMS).astype(float)
    words = np.ceil(tokens * draw.uniform(0.5, 0.9, ITEMS))
    size = np.ceil(words * draw.uniform(4, 7, ITEMS))
    # Longer texts are likelier a token, so that a ratio's parts go together.
    logprob = np.round(-tokens * draw.uniform(1, 3, ITEMS) - 4, 6)
    answer = np.round(-draw.gamma(2, 1, ITEMS), 6)
    items = [{"acc": acc[i], "answer": answer[i], "logprob": logprob[i], "tokens": tokens[i], "words": words[i], "bytes": size[i]} for i in range(ITEMS)]
    expected = {
        "acc": {"value": float(acc.mean()), "stderr": float(stats.sem(acc))},
        "perplexity": bootstrap(lambda each: np.exp(-each.mean()), answer),
        "document": {
            "perplexity": bootstrap(lambda each, by: np.exp(-each.sum() / by.sum()), logprob, tokens),
            "word_perplexity": bootstrap(lambda each, by: np.exp(-each.sum() / by.sum()), logprob, words),
            "byte_perplexity": bootstrap(lambda each, by: np.exp(-each.sum() / by.sum()), logprob, size),
            "bits_per_byte": bootstrap(lambda each, by: -each.sum() / by.sum() / np.log(2), logprob, size),
        },
    }
    with open(OUT, "w", encoding="utf-8", newline="\n") as out:
        out.write('{"expected": ' + json.dumps(expected) + ',\n "items": [\n' + ",\n".join(json.dumps(item) for item in items) + "\n]}\n")


main()
