"""What statsmodels, scipy, krippendorff, choix and scikit-learn say of votes and ratings: golden/ratings.json.

    python -m venv v
    v/bin/pip install statsmodels==0.15.0 scipy==1.17.1 krippendorff==0.9.0 choix==0.4.1 scikit-learn==1.9.1
    v/bin/python common/core/src/test/golden/make_rating_goldens.py common/core/src/test/resources/golden/ratings.json
"""

import json
import sys
import warnings

import choix
import krippendorff
import numpy as np
import statsmodels.api as sm
from scipy import stats
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.metrics import cohen_kappa_score, make_scorer
from sklearn.model_selection import GroupKFold
from statsmodels.stats.inter_rater import aggregate_raters, cohens_kappa, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

import sklearn

warnings.simplefilter("ignore")


def win_rates():
    counts = [(90, 0, 89), (205, 16, 584), (0, 0, 7), (5, 0, 0), (1, 0, 0), (3, 2, 1), (0, 4, 0), (2000, 500, 1500)]
    rows = []
    for wins, ties, losses in counts:
        n = wins + ties + losses
        votes = np.array([1.0] * wins + [0.5] * ties + [0.0] * losses)
        low, high = proportion_confint(wins, n, alpha=0.05, method="beta")
        row = {"wins": wins, "ties": ties, "losses": losses, "low": low, "high": high, "adjusted": votes.mean()}
        row["sign_p"] = stats.binomtest(wins, wins + losses).pvalue if wins + losses else None
        row["standard_error"] = stats.sem(votes) if n > 1 else None
        if n > 100:
            found = stats.bootstrap(
                (votes,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(7)
            ).confidence_interval
            row["bootstrap"] = list(found)
        rows.append(row)
    return rows


def agreement(rng):
    rows = []
    for categories, raters, items, missing in [(3, 2, 40, 0), (4, 5, 30, 0), (3, 3, 25, 0.3), (10, 4, 50, 0.2), (2, 6, 12, 0)]:
        truth = rng.integers(0, categories, items)
        noise = np.clip(truth[:, None] + rng.integers(-1, 2, (items, raters)), 0, categories - 1)
        table = np.where(rng.random((items, raters)) < 0.6, truth[:, None], noise)
        gone = rng.random((items, raters)) < missing
        gone[0, 1:] = missing > 0
        gone[1] = missing > 0
        cells = [[None if gone[i, r] else int(table[i, r]) for r in range(raters)] for i in range(items)]
        row = {"categories": categories, "ratings": cells}
        values = np.where(gone, np.nan, table).T
        domain = [v for v in range(categories) if (values == v).any()]
        for level in ["nominal", "ordinal", "interval"]:
            row[level] = krippendorff.alpha(values, level_of_measurement=level, value_domain=domain)
        if not missing:
            row["fleiss"] = fleiss_kappa(aggregate_raters(table, categories)[0])
            row["cohen"] = cohen_kappa_score(table[:, 0], table[:, 1], labels=range(categories))
            both = np.histogram2d(table[:, 0], table[:, 1], bins=categories, range=[[0, categories]] * 2)[0]
            kappa = cohens_kappa(both)
            assert abs(kappa.kappa - row["cohen"]) < 1e-12
            row["cohen_low"], row["cohen_high"] = float(kappa.kappa_low), float(kappa.kappa_upp)
        rows.append(row)
    return rows


def bradley_terry(rng):
    rows = []
    for models, met, prior in [(3, 1.0, 0), (6, 0.6, 0), (12, 0.3, 0), (5, 1.0, 0.5), (40, 0.1, 0)]:
        strength = rng.normal(0, 1, models)
        wins = np.zeros((models, models))
        pairs = []
        for a in range(models):
            for b in range(a + 1, models):
                if b == a + 1 or rng.random() < met:
                    votes = int(rng.integers(10, 60))
                    ties = int(rng.binomial(votes, 0.1))
                    won = int(rng.binomial(votes - ties, 1 / (1 + np.exp(strength[b] - strength[a]))))
                    won = min(max(won, 1), votes - ties - 1)
                    pairs.append([a, b, won, ties, votes - ties - won])
                    wins[a, b] += won + ties / 2
                    wins[b, a] += votes - won - ties / 2
        wins = wins + prior * (1 - np.eye(models))
        ratings = choix.ilsr_pairwise_dense(wins, tol=1e-12, max_iter=10000)
        ratings = ratings - ratings.mean()
        # The same likelihood as a binomial regression, for the covariance: the last model is the reference.
        place = [(a, b) for a in range(models) for b in range(a + 1, models) if wins[a, b] + wins[b, a] > 0]
        design = np.zeros((len(place), models))
        for i, (a, b) in enumerate(place):
            design[i, a], design[i, b] = 1, -1
        counts = np.array([[wins[a, b], wins[b, a]] for a, b in place])
        fit = sm.GLM(counts, design[:, :-1], family=sm.families.Binomial()).fit(tol=1e-13)
        spread = np.vstack([np.eye(models - 1), np.zeros(models - 1)])
        spread = spread - spread.mean(axis=0)
        assert np.abs(spread @ fit.params - ratings).max() < 1e-6
        error = np.sqrt(np.diag(spread @ fit.cov_params() @ spread.T))
        z = stats.norm.ppf(0.975)
        rows.append(
            {
                "prior": prior,
                "pairs": pairs,
                "ratings": ratings.tolist(),
                "low": (ratings - z * error).tolist(),
                "high": (ratings + z * error).tolist(),
            }
        )
    return rows


def length_controlled(rng):
    """The steps of alpaca_eval's glm_winrate.py, with and without the difficulty of the instructions."""
    sklearn.set_config(enable_metadata_routing=True)
    rows = []
    for items, bias, length, hard in [(120, 0.3, 1.0, 0.8), (203, -1.0, 2.0, 0.0), (60, 0.0, 0.0, 0.3)]:
        for difficult in [True, False]:
            lengths = rng.integers(50, 2000, (items, 2))
            difficulty = rng.normal(0, 1, items)
            delta = (lengths[:, 0] - lengths[:, 1]).astype(float)
            tanh = np.tanh(delta / delta.std(ddof=1))
            chance = 1 / (1 + np.exp(-(bias - length * tanh + hard * difficulty)))
            preference = np.round(np.clip(chance + rng.normal(0, 0.3, items), 0, 1), 3)
            judged = np.arange(items) % 17 != 3
            columns = [tanh] + ([difficulty] if difficult else []) + [np.ones(items)]
            x = np.stack(columns, axis=1)
            test = x.copy()
            test[:, 0] = 0
            both = np.concatenate([x[judged], x[judged]])
            label = np.repeat([1, 0], judged.sum())
            weight = np.concatenate([preference[judged], 1 - preference[judged]])
            groups = np.concatenate([np.arange(judged.sum())] * 2)

            def loss(y, p, true_prob):
                y = np.where(y == 1, true_prob, 1 - true_prob)
                p = np.clip(p, 1e-15, 1 - 1e-15)
                return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

            scorer = make_scorer(loss, response_method="predict_proba", greater_is_better=False)
            settings = dict(penalty="l1", solver="liblinear", fit_intercept=False, tol=1e-8, max_iter=20000, random_state=123)
            model = LogisticRegressionCV(
                cv=GroupKFold(5), scoring=scorer.set_score_request(true_prob=True), **settings
            )
            model.set_fit_request(sample_weight=True)
            model.fit(both, label, sample_weight=weight, groups=groups, true_prob=weight)
            one = LogisticRegression(C=0.3, **settings).fit(both, label, sample_weight=weight)
            predicted = model.predict_proba(test)[:, 1]
            rows.append(
                {
                    "lengths": lengths.tolist(),
                    "difficulty": difficulty.tolist() if difficult else None,
                    "preference": [p if there else None for p, there in zip(preference.tolist(), judged)],
                    "c": float(np.ravel(model.C_)[0]),
                    "weights": np.ravel(model.coef_).tolist(),
                    "weights_at_0.3": np.ravel(one.coef_).tolist(),
                    "win_rate": predicted.mean(),
                    "standard_error": stats.sem(predicted),
                }
            )
    return rows


def main(path):
    rng = np.random.default_rng(20)
    written = {
        "win_rates": win_rates(),
        "agreement": agreement(rng),
        "bradley_terry": bradley_terry(rng),
        "length_controlled": length_controlled(rng),
    }
    with open(path, "w") as out:
        json.dump(written, out, separators=(",", ":"), allow_nan=False)
        out.write("\n")


main(sys.argv[1])
