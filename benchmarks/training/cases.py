"""Runs cases of silent faults and compares with the right values. See cases; arguments: HOME CASES WORK [NUMBER...]"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import time

import pyarrow.parquet as parquet
from safetensors.numpy import load_file
from tokenizers import Tokenizer

home, cases, work = sys.argv[1:4]
checks = {}


def case(number, jobs):
    """Registers the check of a case, which is given the case's run; the jobs that it takes."""
    return lambda check: checks.update({number: (jobs.split(), check)})


class Run:
    """What a case's commands left: its standard output and error, summaries, tables."""

    def __init__(self, number, more="", name=""):
        self.folder = glob.glob(f"{cases}/{number}-*")[0]
        self.number = number
        self.out = f"{work}/{number}{name}"
        shutil.rmtree(self.out, ignore_errors=True)
        # The commands find their input beside themselves; q8 is what export calls it, and what is there is replaced where that is said.
        with open(f"{self.folder}/cmd.sh") as given:
            words = given.read().replace('$(cd "$(dirname "$0")" && pwd)', self.folder)
            words = words.replace("/distillery sft ", f"/distillery sft {more} ")
            words = words.replace("--dtype q8_0", "--dtype q8").replace("/lp.jsonl ", "/lp.jsonl --overwrite ")
        done = subprocess.run(["bash", "-c", words, "cmd.sh", home, f"{work}/models", self.out], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=900)
        self.said, self.err, self.code = done.stdout, done.stderr, done.returncode
        with open(f"{work}/{number}{name}.log", "w") as log:
            log.write(done.stdout + "\n---\n" + done.stderr)

    def again(self, more, name):
        """The case's commands once more, with other options of sft, in a folder of their own."""
        return Run(self.number, more, name)

    def summaries(self):
        found = []
        for line in self.said.splitlines():
            if line.startswith('{"job"'):
                found.append(json.loads(line))
        return found

    def rows(self, table, run, names=None):
        found = []
        for file in sorted(glob.glob(f"{self.out}/warehouse/{table}/run_id={run}/*.parquet")):
            found += parquet.read_table(file, partitioning=None, columns=names).to_pylist()
        return found

    def metric(self, run, name):
        rows = self.rows("metrics", run, ["step", "name", "value"])
        return [row["value"] for row in sorted(rows, key=lambda row: row["step"]) if row["name"] == name]


def near(found, wanted, tolerance=1e-4, what=""):
    if len(found) != len(wanted) or any(abs(a - b) > tolerance for a, b in zip(found, wanted)):
        raise AssertionError(f"{what} {[round(a, 6) for a in found]}, right {wanted}")


def equal(found, wanted, what=""):
    if found != wanted:
        raise AssertionError(f"{what} {found!r}, right {wanted!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(what)


def shown(text):
    """Rows of a dry run: for each its (id, learned) pairs."""
    rows = []
    for line in text.splitlines():
        if re.match(r"Row \d+: ", line):
            rows.append([])
        token = re.match(r" *\d+ +(\d+) '.*?(\*.*)?$", line)
        if token and rows:
            rows[-1].append((int(token.group(1)), token.group(2) is not None and not token.group(2).endswith("'")))
    return rows


@case("01", "sft")
def partial_window(run):
    near(run.metric("c1", "loss"), [6.269634, 6.161237, 7.031456] * 2, what="loss")
    # transformers tells 4.762893, 7.813418 and 7.405108 of gradients: it gives the padding token's row none (docs/training.md), and so tells less.
    norms = run.metric("c1", "grad_norm")
    near(norms[:3], norms[3:], 1e-6, "grad_norm of the second epoch beside the first")
    holds(all(ours > theirs for ours, theirs in zip(norms, [4.762893, 7.813418, 7.405108])), f"grad_norm {norms[:3]}")
    equal(run.metric("c1", "num_tokens")[-1], 396, "num_tokens")


@case("04", "sft")
def cut_answer(run):
    equal(shown(run.said)[0][39:], [(118, True)], "tokens from the fortieth on")
    figures = run.summaries()[-1]["figures"]
    equal([figures[name] for name in ("rows_cut", "tokens_cut", "rows_without_stop")], [1, 67, 1], "cut, lost, without stop")


@case("05", "pretrain sft")
def long_documents(run):
    pretrained, tuned = (summary["figures"] for summary in run.summaries()[-2:])
    equal(pretrained["num_tokens"] + pretrained["tokens_cut"], 59, "tokens of the documents")
    equal(pretrained["tokens_cut"], 0, "tokens cut of the documents")
    equal(tuned["tokens_cut"], 67, "tokens cut of the dialogue")
    equal(tuned["num_tokens"] + tuned["tokens_cut"], tuned["tokens_read"], "tokens of the dialogue")


@case("06", "sft")
def packing_leak(run):
    near(run.metric("c6-none", "loss") + run.metric("c6-isolated", "loss"), [6.240941] * 2, what="loss")


@case("08", "sft")
def without_marks(run):
    rows = shown(run.said)
    equal([len(rows), sum(learned for row in rows for _, learned in row)], [5, 81], "rows, learned tokens")


@case("09", "sft")
def strips(run):
    rows = shown(run.said)
    equal(len(re.findall(r"^Row 1: ", run.said, re.M)), 2, "dry runs")
    figures = [summary["figures"] for summary in run.summaries()]
    equal([row["rows_kept"] for row in figures], [1, 1], "rows")
    ids = [i for i, known in rows[-1] if known]
    equal(ids, Tokenizer.from_file(f"{work}/models/random/tokenizer.json").encode("<think>more</think>five").ids + [2], "learned tokens of last-turn")


@case("10", "sft")
def stale(run):
    equal([run.metric(name, "num_tokens")[0] for name in ("c10a", "c10b")], [198, 218], "num_tokens")


@case("12", "sft")
def early_stop(run):
    def weights(name):
        return open(f"{run.out}/{name}/model.safetensors", "rb").read()
    done = run.summaries()
    equal(run.metric("a", "eval_loss"), run.metric("b", "eval_loss"), "evaluations")
    holds(weights("a") == weights("b"), "weights differ")
    holds(len(run.metric("a", "loss")) < 40, "never stopped early")
    holds("done already" in run.err or done[-1]["seconds"] <= done[-2]["seconds"], "the last call was not done already")


@case("13", "sft")
def longer(run):
    rates = run.metric("c13", "learning_rate")
    equal(len(rates), 20, "steps")
    near([rates[10], rates[19]], [5.0e-4, 6.155830e-6], 1e-9, "learning_rate")
    holds("5.0" in run.err and re.search(r"rate", run.err), "the dry run names no rate")


@case("15", "export logprobs sft")
def tied(run):
    if not os.path.exists(f"{run.out}/b.jsonl"):
        holds(re.search(r"tie", run.err), "neither merged nor refused by name: " + run.err[-300:])
        return
    config = json.load(open(f"{run.out}/merged/config.json"))
    equal(config.get("tie_word_embeddings"), False, "tie_word_embeddings")


@case("16", "sft")
def untrained(run):
    before = run.err.split("step", 1)[0]
    holds("<|im_start|>" in before and "<|im_end|>" in before, "no warning names both tokens before the first step")
    holds("--train-tokens auto" in before, "the remedy is not named")
    # With the remedy the same run warns no more and learns both rows, which were zero.
    tuned = run.again("--train-tokens auto", "-trained")
    holds("never trained" not in tuned.err and "2 tokens (<|im_start|>, <|im_end|>)" in tuned.err, "--train-tokens auto: " + tuned.err[-300:])
    rows = load_file(f"{tuned.out}/m/adapter_model.safetensors")
    for module in ("model.embed_tokens", "lm_head"):
        rows_of = rows[f"base_model.model.{module}.token_adapter.trainable_tokens_delta"]
        equal([list(rows_of.shape), bool((rows_of != 0).any(1).all())], [[2, 32], True], f"rows of {module}")


@case("18", "sft")
def markup(run):
    ids = [i for i, _ in shown(run.said)[0]]
    equal([ids.count(1), ids.count(2)], [2, 2], "ids 1 and 2")
    inside = [102, 111, 114, 118, 104, 35, 63, 127, 108, 112, 98, 104, 113, 103, 127, 65, 13, 63, 127, 108, 112, 98, 118, 119, 100, 117, 119, 127,
              65, 118, 124, 118, 119, 104, 112, 13, 114, 101, 104, 124]
    holds(any(ids[i:i + 40] == inside for i in range(len(ids))), f"the content's ids are {ids}")


@case("19", "export sft logprobs")
def merged(run):
    lines = [json.loads(line) for line in run.said.splitlines() if line.startswith('{"id"')]
    equal(len(lines), 2, "rows of log-probabilities")
    near([value for value in lines[1]["logprobs"] if value is not None], [value for value in lines[0]["logprobs"] if value is not None], 1e-4,
         "log-probabilities of the two exports")
    # Both are written in float32: of a merge that is written back into blocks this says nothing.


@case("20", "sft")
def mix(run):
    last = run.summaries()[-1]
    equal(len(run.metric("c20", "loss")), 22, "steps")
    holds("empty.jsonl" in run.err, "the empty input is not named")
    holds(any("a.jsonl" in json.dumps(value) for value in last.values()), "no counts by input")


@case("21", "dpo")
def ipo(run):
    near([run.metric(f"c21-{kind}", "loss")[0] for kind in ("sigmoid", "ipo", "hinge")], [1.036969, 25.72363, 1.569998], 2e-4, "loss")


@case("23", "dpo")
def pair_cut(run):
    equal(len(run.metric("c23", "loss")), 1, "steps")
    rejects = run.rows("rejects", "c23")
    holds(len(rejects) == 2 and len({row["rule"] for row in rejects}) == 2, f"rejects {[(r['id'], r['rule']) for r in rejects]}")


@case("25", "score reward")
def one_place(run):
    near([row["score"] for row in sorted(run.rows("scores", "c25"), key=lambda row: row["id"])][:3], [3.39484, 4.0081, -0.14024], what="scores")


def ends(run, name):
    return run.rows("rollouts", name, ["tokens", "ended"])


@case("26", "ppo")
def several_ends(run):
    rows = ends(run, "c26")
    equal(len(rows), 256, "rollouts")
    share = sum(row["ended"] for row in rows) / 256
    holds(share >= 0.95, f"{share} end")
    mean = sum(len(row["tokens"]) for row in rows) / 256
    holds(abs(mean - 2.458) <= 0.4, f"mean length {mean}")
    for row in rows:
        holds(all(token["id"] not in (0, 2) for token in row["tokens"][:-1]), "a token follows an end")
    zero = sum(row["tokens"][-1]["id"] == 0 for row in rows) / max(1, sum(row["ended"] for row in rows))
    holds(0.35 < zero < 0.65, f"{zero} of the ends are id 0")


@case("27", "ppo")
def sampled(run):
    found = {(token["id"], round(token["logprob"], 4)) for row in ends(run, "c27") for token in row["tokens"]}
    equal(found, {(0, -1.6094), (2, -1.6094), (100, -0.5108)}, "ids and log-probabilities")


@case("29", "ppo")
def nulls(run):
    # The case's own check compares every group with the figures of its rewards that are numbers.
    holds(re.search(r"^[1-9]\d* groups 0 wrong", run.said, re.M), "groups: " + run.said[-200:])
    holds(re.search(r"num-generations", run.err), "a group of one is not refused by name")


@case("33", "sft complete")
def beginnings(run):
    ids = [i for i, _ in shown(run.said)[0]]
    equal([ids[0], ids.count(0)], [0, 1], "beginnings")
    completions = run.rows("completions", "c33c", ["prompt_tokens"])
    holds(completions and all(row["prompt_tokens"] for row in completions), "no completions")


@case("40", "ingest curate")
def later_columns(run):
    rows = run.rows("instructions", "c40t")
    equal(len(rows), 3, "rows of the table files")
    equal(sum(row["input"] in ("I2", "I3") for row in rows), 2, "rows with their input")
    # A folder stands for the files below it too: the source has the rows of t and u, three of them twice.
    kept = sum(len(run.rows(table, "c40")) for table in ("conversations", "instructions", "rejects", "duplicates"))
    equal(kept, 9, "rows of the source")
    equal([row["rule"] for row in run.rows("rejects", "c40")], ["system_or_history"] * 2, "rows with a system text")
    holds("u/b.parquet" in run.err and "'output'" in run.err, "the column whose type differs is not named")
    holds("_d.parquet" in run.err + run.said, "the file _d.parquet is not named as not read")


def answered(run):
    """The cases of a server ask it themselves, and print a line a check."""
    lines = re.findall(r"^(ok  |FAIL) (.*)$", run.said, re.M)
    holds(lines and all(said == "ok  " for said, _ in lines), f"{len(lines)} checks, wrong: {[name for said, name in lines if said == 'FAIL']}")


for number in ("42", "44", "46", "51"):
    case(number, "serve")(answered)


@case("47", "serve complete")
def beyond_context(run):
    answered(run)
    # One of the two rows is more than --max-failure-ratio allows, so that the run says why and publishes nothing.
    holds("1 of 2 requests failed" in run.err and re.search(r"has \d+ tokens and leaves no room in a context of 256", run.err), f"the long row: {run.err[-300:]}")


@case("49", "serve complete")
def continued(run):
    answered(run)
    rows = run.rows("completions", "c49", ["text", "status"])
    holds(rows, "no completions")
    for row in rows:
        holds(row["status"] != "ok" or row["text"].startswith(" own fox"), f"a new turn: {row['text']!r}")


@case("52", "complete")
def unknown_state(run):
    codes = dict(re.findall(r"^(first|second|third) (\d+)$", run.said, re.M))
    holds(codes.get("second") in ("75", "0") and codes.get("first") == "0" and codes.get("third") == "0", f"exit codes {codes}")
    ids = [row["request_id"] for row in run.rows("completions", "same", ["request_id"])]
    equal(len(ids), len(set(ids)), "rows")


@case("53", "sft")
def broken_checkpoint(run):
    equal(dict(re.findall(r"^(truncate|flip) (\d+)$", run.said, re.M)), {"truncate": "0", "flip": "0"}, "exit codes")
    holds("checkpoint-" in run.err, "the broken checkpoint is not named")
    first, second = (open(f"{run.out}/{how}/model.safetensors", "rb").read() for how in ("truncate", "flip"))
    holds(first == second, "weights differ")


def jobs():
    """Names of the jobs that were built."""
    names = set()
    for file in glob.glob(f"{home}/jobs/*/target/commands"):
        names |= {line.split()[0] for line in open(file) if line.strip()}
    return names


def main():
    built, wrong = jobs(), 0
    wanted = sys.argv[4:]
    for folder in sorted(glob.glob(f"{cases}/[0-9]*")):
        name = os.path.basename(folder)
        number = name.split("-")[0]
        if wanted and number not in wanted:
            continue
        if number not in checks:
            print(f"{name:36} no check: its job is not built", flush=True)
            continue
        needed, check = checks[number]
        if not set(needed) <= built:
            print(f"{name:36} not built: {' '.join(sorted(set(needed) - built))}", flush=True)
            continue
        began = time.monotonic()
        try:
            check(Run(number))
            said = "right"
        except (AssertionError, LookupError, OSError, ValueError, subprocess.TimeoutExpired) as fault:
            said = f"WRONG: {type(fault).__name__ if not isinstance(fault, AssertionError) else ''} {fault} (see {work}/{number}.log)"
            wrong += 1
        print(f"{name:36} {time.monotonic() - began:4.0f} s {said}", flush=True)
    sys.exit(1 if wrong else 0)


main()
