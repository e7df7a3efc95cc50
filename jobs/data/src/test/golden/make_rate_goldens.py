"""Five raters with a known bias, and what statsmodels, scipy, krippendorff and choix say of their votes: golden/rate.json.

    python -m venv v
    v/bin/pip install statsmodels==0.15.0 scipy==1.17.1 krippendorff==0.9.0 choix==0.4.1 scikit-learn==1.9.1
    v/bin/python jobs/data/src/test/golden/make_rate_goldens.py jobs/data/src/test/resources/golden/rate.json
"""

import json
import sys
import warnings

import choix
import krippendorff
import numpy as np
from scipy import stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

warnings.simplefilter("ignore")
VERDICTS = ["a", "b", "tie", "both_bad"]
RATERS = ["ann", "ben", "cat", "dan", "eve"]
BIAS = [0.0, 0.1, 0.2, 0.3, 0.6]  # how often a rater takes the answer shown first, whatever it says
STRENGTH = {"base": -0.7, "tuned": 0.4, "teacher": 0.9, "other": 0.0}


def main(path):
    rng = np.random.default_rng(5)
    items, votes = [], []
    for i in range(60):
        a, b = ["tuned", "base"][i % 2], ["teacher", "other"][(i // 2) % 2]
        items.append({"id": f"item{i}", "model_a": a, "model_b": b})
        truth = rng.random() < 1 / (1 + np.exp(STRENGTH[b] - STRENGTH[a]))
        for r, rater in enumerate(RATERS):
            first = "a" if rng.random() < 0.5 else "b"
            if rng.random() < BIAS[r]:
                verdict = first
            elif rng.random() < 0.2:
                verdict = VERDICTS[rng.integers(0, 4)]
            else:
                verdict = "a" if truth else "b"
            votes.append([i, rater, verdict, first, round(float(rng.gamma(4, 3)), 3)])
    table = np.array([VERDICTS.index(v[2]) for v in votes]).reshape(len(items), len(RATERS))
    wins, losses = int((table == 0).sum()), int((table == 1).sum())
    n = table.size
    low, high = proportion_confint(wins, n, alpha=0.05, method="beta")
    halves = np.select([table == 0, table == 1], [1.0, 0.0], 0.5)
    drawn = stats.bootstrap(
        (halves.mean(axis=1),), np.mean, method="percentile", n_resamples=20000, rng=np.random.default_rng(7)
    )
    models = sorted(STRENGTH)
    won = np.zeros((4, 4))
    for i, row in enumerate(halves):
        a, b = models.index(items[i]["model_a"]), models.index(items[i]["model_b"])
        won[a, b] += row.sum()
        won[b, a] += len(row) - row.sum()
    ratings = choix.ilsr_pairwise_dense(won, tol=1e-12, max_iter=10000)
    of = {rater: [v for v in votes if v[1] == rater] for rater in RATERS}
    written = {
        "items": items,
        "votes": votes,
        "results": {
            "wins": wins,
            "losses": losses,
            "ties": int((table == 2).sum()),
            "both_bad": int((table == 3).sum()),
            "win_rate": wins / n,
            "win_rate_exact_low": low,
            "win_rate_exact_high": high,
            "win_rate_adjusted": halves.mean(),
            "sign_test_p": stats.binomtest(wins, wins + losses).pvalue,
            "fleiss_kappa": fleiss_kappa(aggregate_raters(table, 4)[0]),
            "krippendorff_alpha": krippendorff.alpha(
                table.T.astype(float), level_of_measurement="nominal", value_domain=[0, 1, 2, 3]
            ),
        },
        "bootstrap": list(drawn.confidence_interval),
        "bootstrap_error": float(drawn.standard_error),
        "cohen": {
            f"{RATERS[x]} {RATERS[y]}": cohen_kappa_score(table[:, x], table[:, y])
            for x in range(5)
            for y in range(x + 1, 5)
        },
        "ratings": dict(zip(models, (ratings - ratings.mean()).tolist())),
        "median_seconds": {rater: float(np.median([v[4] for v in of[rater]])) for rater in RATERS},
        "first_share": {
            rater: float(np.mean([v[2] == v[3] for v in of[rater] if v[2] in "ab"])) for rater in RATERS
        },
    }
    with open(path, "w") as file:
        json.dump(written, file, indent=None, separators=(",", ":"))
        file.write("\n")


main(sys.argv[1])
