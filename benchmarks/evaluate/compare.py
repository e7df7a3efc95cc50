"""See benchmarks/evaluate/run. Usage: compare.py HOME WORK ITEMS THREADS"""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

home, work = sys.argv[1:3]
items, threads = map(int, sys.argv[3:])
os.environ["OMP_NUM_THREADS"] = str(threads)

import lm_eval  # noqa: E402  after the number of threads
import torch  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402

WORDS = "the river town people found that a long road over hills was closed by snow and they waited for spring to come again".split()


def write(name, number, seed):
    draw = random.Random(seed)
    path = f"{work}/{name}.jsonl"
    with open(path, "w") as out:
        for i in range(number):
            passage = " ".join(draw.choices(WORDS, k=draw.randint(30, 120)))
            choices = [" ".join(draw.choices(WORDS, k=draw.randint(2, 10))) for _ in range(4)]
            out.write(json.dumps({"id": f"{name}{i}", "passage": passage, "choices": choices, "label": draw.randrange(4)}) + "\n")
    return path


def ours(shots):
    shutil.rmtree(f"{work}/warehouse", ignore_errors=True)
    done = subprocess.run([f"{home}/submit/distillery", "evaluate", "--model", f"{work}/model", "--tasks", f"{work}/task.yaml", "--num-fewshot", str(shots),
                           "--warehouse", f"{work}/warehouse", "--run-id", "bench", "--", "--master", f"local[{threads}]"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr[-2000:])
    summary = json.loads(done.stdout.strip().splitlines()[-1])
    return summary["figures"]["compute_seconds"], {each["metric"]: each["value"] for each in summary["results"]}


def peer(model, shots):
    config = {"task": "bench", "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": f"{work}/items.jsonl", "train": f"{work}/shots.jsonl"}},
              "test_split": "test", "fewshot_split": "train", "fewshot_config": {"sampler": "first_n"}, "num_fewshot": shots,
              "output_type": "multiple_choice", "doc_to_text": "{{passage}}\nAnswer:", "doc_to_choice": "{{choices}}", "doc_to_target": "label",
              "metric_list": [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")]}
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/task.yaml", "w") as out:
            json.dump(config, out)
        manager = TaskManager(include_path=folder, include_defaults=False)
        spent = []
        plain = model.loglikelihood

        def timed(requests, **more):
            begun = time.perf_counter()
            answers = plain(requests, **more)
            spent.append(time.perf_counter() - begun)
            return answers

        model.loglikelihood = timed
        found = lm_eval.simple_evaluate(model, tasks=["bench"], task_manager=manager, bootstrap_iters=0)
        model.loglikelihood = plain
    return sum(spent), {name: found["results"]["bench"][f"{name},none"] for name in ("acc", "acc_norm")}


write("items", items, 1)
write("shots", 20, 2)
with open(f"{work}/task.yaml", "w") as out:
    out.write('name: bench\ninput: items.jsonl\nexamples: shots.jsonl\nshots: first\nprompt: "{passage}\\nAnswer:"\nchoices: choices\nanswer: "{label}"\n'
              "metrics: [acc, acc_norm]\n")
torch.set_num_threads(threads)
model = HFLM(pretrained=f"{work}/model", dtype="float32", device="cpu", batch_size=8)
for shots in (0, 3):
    before, theirs = peer(model, shots)
    seconds, figures = ours(shots)
    after, _ = peer(model, shots)
    print(f"{shots} shots, {items} items of four choices on {threads} threads: evaluate {items / seconds:.2f} items/s, "
          f"lm-evaluation-harness {items / before:.2f} and {items / after:.2f}; ratio {(before + after) / 2 / seconds:.2f}; "
          + ", ".join(f"{name} {figures[name]:.4f} beside {theirs[name]:.4f}" for name in sorted(theirs)))
