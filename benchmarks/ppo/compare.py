"""Measures updates of ppo beside PyTorch's. See run; arguments: HOME WORK UPDATES ANSWERS THREADS"""
import glob
import json
import os
import random
import shutil
import subprocess
import sys

import pyarrow.parquet as parquet

home, work = sys.argv[1:3]
updates, answers, threads = map(int, sys.argv[3:6])
EPOCHS, MINI, MICRO, SHORTEST, LONGEST = 2, 8, 4, 32, 128


def prompts():
    """Plain texts of 16 to 256 words and tokens, most of them short, from a fixed seed."""
    draw = random.Random(3)
    words = "the river town people found that a long road over hills was closed by snow and they waited for spring to come again".split()
    path = f"{work}/prompts.jsonl"
    with open(path, "w") as out:
        for i in range(updates * answers):
            length = min(256, 16 + int(draw.expovariate(1 / 60)))
            out.write(json.dumps({"id": f"p{i}", "text": " ".join(draw.choices(words, k=length))}) + "\n")
    return path


def distillery(*arguments):
    done = subprocess.run([f"{home}/submit/distillery", *arguments, "--", "--master", f"local[{threads}]"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def rows(summary, table, columns):
    path = summary["tables"][table]["path"].replace("file:", "")
    return parquet.read_table(path, partitioning=None, columns=columns).to_pylist()


def ours(path):
    """Seconds of all updates by part, and tokens of the answers."""
    shutil.rmtree(f"{work}/out", ignore_errors=True)
    shutil.rmtree(f"{work}/warehouse", ignore_errors=True)
    summary = distillery(
        "ppo", "--warehouse", f"{work}/warehouse", "--model", f"{work}/model", "--input", path, "--trainable", "lora", "--reward", "count:e=0.1",
        "--rollout-batch-size", str(answers), "--mini-batch-size", str(MINI), "--batch-size", str(MICRO), "--ppo-epochs", str(EPOCHS),
        "--response-length", str(LONGEST), "--response-length-from", str(SHORTEST), "--decode-batch-size", str(answers),
        "--max-steps", str(updates), "--learning-rate", "1e-5", "--lora-dropout", "0", "--sample-prompts", "0", "--output-dir", f"{work}/out")
    figures = summary["figures"]
    parts = {name: figures[f"{name}_seconds"] for name in ("rollout", "scoring", "recomputation", "update")}
    tokens = sum(len(row["tokens"]) for row in rows(summary, "rollouts", ["tokens"]))
    return parts, tokens


def completing(path):
    """Tokens a second of `complete --teacher student` in batches of as many, beyond its start."""
    shutil.rmtree(f"{work}/asked", ignore_errors=True)
    asked = f"{work}/asked.jsonl"
    with open(path) as given, open(asked, "w") as out:
        for line in given:
            row = json.loads(line)
            out.write(json.dumps({"id": row["id"], "prompt": row["text"]}) + "\n")
    summary = distillery("complete", "--teacher", "student", "--model", f"{work}/model", "--input", asked, "--api", "completions",
                         "--concurrency", str(answers), "--max-new-tokens", str((SHORTEST + LONGEST) // 2), "--temperature", "1",
                         "--warehouse", f"{work}/asked")
    told = rows(summary, "completions", ["completion_tokens", "latency_ms", "created_at"])
    # From the sending of the first request to the coming of the last reply.
    begun = min(row["created_at"].timestamp() - row["latency_ms"] / 1000 for row in told)
    return sum(row["completion_tokens"] for row in told) / (max(row["created_at"].timestamp() for row in told) - begun)


def peer(path):
    done = subprocess.run(
        [sys.executable, os.path.join(home, "benchmarks/ppo/peer.py"), f"{work}/model", path,
         *map(str, (updates, answers, EPOCHS, MINI, MICRO, SHORTEST, LONGEST, threads))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=work)
    if done.returncode != 0:
        sys.exit(done.stderr[-2000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


path = prompts()
before = peer(path)
parts, tokens = ours(path)
student = completing(path)
after = peer(path)
whole = sum(parts.values())
print(f"{updates} updates of {answers} answers on {threads} threads: " + ", ".join(f"{name} {value / updates:.1f} s" for name, value in parts.items())
      + f" an update; {tokens / updates / answers:.0f} tokens an answer")
for name, told in (("before", before), ("after", after)):
    print(f"PyTorch {name}: " + ", ".join(f"{part} {told[part] / updates:.1f} s" for part in ("rollout", "recomputation", "update"))
          + f" an update; {told['tokens'] / updates / answers:.0f} tokens an answer")
generated = 2 / (before["rollout"] / before["tokens"] + after["rollout"] / after["tokens"])
peers = {part: (before[part] + after[part]) / (before["tokens"] + after["tokens"]) for part in ("rollout", "recomputation", "update")}
print(f"answers' tokens a second: rollout {tokens / parts['rollout']:.1f}, complete {student:.1f}, transformers' generate {generated:.1f}")
print(f"rollout to complete {tokens / parts['rollout'] / student:.3f}, to generate {tokens / parts['rollout'] / generated:.3f}; "
      f"whole update to PyTorch {sum(peers.values()) / (whole / tokens):.3f}, recomputation {peers['recomputation'] / (parts['recomputation'] / tokens):.3f}, "
      f"update {peers['update'] / (parts['update'] / tokens):.3f}")
