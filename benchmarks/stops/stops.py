"""Stops jobs by SIGTERM, some by SIGKILL too, and compares their rows with those of runs that nothing stopped. See run; arguments: HOME [--cluster] [JOB...]"""
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet as parquet

home = sys.argv[1]
stops = int(os.environ.get("STOPS", "1"))
draw = random.Random(int(os.environ.get("SEED", "1")))
work = tempfile.mkdtemp(prefix="stops-")
words = ["".join(draw.choices("aeioustnrlmdkp", k=draw.randint(2, 8))) for _ in range(2000)]


def write(name, rows):
    path = f"{work}/{name}.jsonl"
    with open(path, "w") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")
    return path


def text(count):
    return " ".join(draw.choices(words, k=count))


def turns(i):
    return [{"from": "human", "value": f"What is {i}?"}, {"from": "gpt", "value": "".join(f"<p>{text(40)}</p>" for _ in range(4))}]


model = subprocess.run([f"{home}/submit/fetch-model"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
dialogues = write("dialogues", ({"id": f"d{i}", "conversations": turns(i)} for i in range(40000)))
tasks = write("tasks", ({"id": f"t{i}", "instruction": text(12), "input": "", "output": text(30)} for i in range(60000)))
few = write("few", ({"id": f"t{i}", "instruction": text(6), "input": "", "output": text(12)} for i in range(60)))
texts = write("texts", ({"id": f"x{i}", "text": text(100)} for i in range(150)))
# What each asks for, and the table whose rows count.
jobs = {
    "ingest": (["--source", "sharegpt", "--input", dialogues, "--split-bytes", "1048576"], "conversations"),
    "curate": (["--input", tasks], "instructions"),
    "dedup": (["--input", tasks], "instructions"),
    "logprobs": (["--model", model, "--input", texts], "logprobs"),
    "complete": (["--teacher", "student", "--model", model, "--input", few, "--max-new-tokens", "24", "--temperature", "0"], "completions"),
    "generate": (["--recipe", "alpaca", "--teacher", "gguf", "--model", model, "--num-instructions", "3", "--max-new-tokens", "100",
                  "--max-requests", "4", "--publish-partial"], "completions"),
    "evaluate": (["--model", model, "--tasks", "own-sentiment,scramble-cycle,arithmetic-2da", "--num-fewshot", "4", "--limit", "50"], "evaluations"),
    "sft": (["--model", model, "--input", few, "--trainable", "lora", "--max-length", "64", "--batch-size", "2", "--max-steps", "8",
             "--output-dir", f"{work}/sft"], "metrics"),
}
# Requests and rows have times and figures of their own; these say what was made.
columns = {"completions": ["request_id", "text", "status"], "metrics": ["step", "name", "value"], "logprobs": ["id", "logprobs"],
           "evaluations": ["task", "id", "prompt", "choices", "answer", "target", "metrics"]}
# Those that go on after a process that had no time to say so.
killed = ("evaluate",)
moving = ("tokens_per_second", "seconds", "exchange", "time")


def command(job, run, spark):
    return [f"{home}/submit/distillery", job, "--warehouse", f"{work}/warehouse-{job}", "--run-id", run, *jobs[job][0], *spark]


def start(job, run, spark, log):
    return subprocess.Popen(command(job, run, spark), stdout=open(log + ".out", "w"), stderr=open(log + ".err", "w"))


def begun(job, run):
    return any(f"run={run}" in path or run in os.path.basename(path) for path in glob.glob(f"{work}/warehouse-{job}/_runs/**", recursive=True))


def summary_of(log):
    return json.loads(open(log + ".out").read().strip().splitlines()[-1])


def scored(job, run):
    """Items whose scores lie in the run's work folder."""
    return sum(len(open(path).readlines()) for path in glob.glob(f"{work}/warehouse-{job}/_work/{run}/**/bucket-*.json", recursive=True))


def rows(job, log):
    summary = summary_of(log)
    table = jobs[job][1]
    path = summary["tables"][table]["path"].replace("file:", "")
    read = parquet.read_table(path, partitioning=None).to_pylist()
    names = columns.get(table)
    kept = [{name: row[name] for name in names} if names else row for row in read]
    if table == "metrics":
        kept = [row for row in kept if not any(part in row["name"] for part in moving)]
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in kept)


def stopped(job, run, spark, seconds, signalled=signal.SIGTERM):
    """Starts the job, stops it once its record is there and some time is over; false where it had ended before."""
    log = f"{work}/{job}-{run}"
    process = start(job, run, spark, log)
    while not begun(job, run) and process.poll() is None:
        time.sleep(0.05)
    began = time.monotonic()
    while time.monotonic() - began < seconds and process.poll() is None:
        time.sleep(0.05)
    if process.poll() is not None:
        print(f"{job}: ended with {process.returncode} before it could be stopped at {seconds:.1f} s: {open(log + '.err').read()[-600:]}", flush=True)
        return False
    process.send_signal(signalled)
    sent = time.monotonic()
    code = process.wait(timeout=300)
    if signalled == signal.SIGKILL:
        print(f"{job}: killed at {seconds:.1f} s of its work", flush=True)
        return True
    err = open(log + ".err").read()
    last = err.strip().splitlines()[-1] if err.strip() else ""
    said = [line for line in err.splitlines() if "Stopped by SIGTERM" in line]
    print(f"{job}: stopped at {seconds:.1f} s of its work, exit {code} after {time.monotonic() - sent:.1f} s: {said[-1] if said else last}", flush=True)
    if code != 143 or len(said) != 1 or "\tat " in err or "Exception" in err or len([l for l in err.splitlines() if l.startswith("Caused by")]):
        print(err[-3000:])
        sys.exit(f"{job}: did not end as a stopped job does")
    return True


def main():
    given = sys.argv[2:]
    spark, daemons = [], []
    environment = os.environ
    if "--cluster" in given:
        given.remove("--cluster")
        # The shell's own cluster script says what it started; it lives as long as its standard input.
        shell = subprocess.Popen(
            ["bash", "-c", f'home={home}; work={work}; . {home}/benchmarks/training/cluster.sh; echo "$SPARK_HOME"; printf "%s\\n" "${{spark_options[@]}}"; echo; cat > /dev/null'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        daemons.append(shell)
        environment["SPARK_HOME"] = shell.stdout.readline().strip()
        spark = ["--"]
        for line in iter(lambda: shell.stdout.readline().strip(), ""):
            spark.append(line)
        spark += ["--driver-memory", "2g", "--conf", "spark.executor.memory=2g"]
    else:
        environment.pop("SPARK_HOME", None)
    try:
        for job in given or jobs:
            clean = f"{work}/{job}-clean"
            began = time.monotonic()
            code = start(job, "clean", spark, clean).wait()
            took = time.monotonic() - began
            if code not in (0, 5):
                sys.exit(f"{job} ended with {code}: {open(clean + '.err').read()[-2000:]}")
            if job == "sft":
                shutil.rmtree(f"{work}/sft")
            for _ in range(stops):
                stopped(job, "stopped", spark, draw.uniform(0.2, max(0.4, min(took - 8, 15))))
                if job in killed:
                    stopped(job, "stopped", spark, draw.uniform(2, max(4, min(took - 8, 15))), signal.SIGKILL)
            left = scored(job, "stopped")
            log = f"{work}/{job}-again"
            if start(job, "stopped", spark, log).wait() != code:
                sys.exit(f"{job} again: {open(log + '.err').read()[-2000:]}")
            resumed = summary_of(log)["figures"].get("resumed", 0)
            if resumed < left:
                sys.exit(f"{job}: {left} items were there, and {resumed} were taken")
            same = rows(job, clean) == rows(job, log)
            print(f"{job}: undisturbed {took:.1f} s with the start; {len(rows(job, log))} rows {'equal' if same else 'DIFFER'}", flush=True)
            if not same:
                sys.exit(f"{job}: see {work}")
    finally:
        for daemon in daemons:
            daemon.stdin.close()
            daemon.wait()
    shutil.rmtree(work)


main()
