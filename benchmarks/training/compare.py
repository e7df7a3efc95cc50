"""Measures one kind of training after the other by job, trainer and TRL. See run; arguments: HOME WORK STEPS THREADS KIND..."""
import json
import os
import random
import shutil
import subprocess
import sys
import time

BATCH, LENGTH = 4, 256
home, work, steps, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
# The peers' steps are all alike, so fewer of them do: half before the job and half after it, against a machine whose speed drifts.
half = max(2, min(steps, 40) // 2)


def rows():
    """Texts of words in instructions' form, more tokens than the steps take, from a fixed seed."""
    draw = random.Random(1)
    words = ["".join(draw.choices("aeioustnrlmdkp", k=draw.randint(2, 8))) for _ in range(2000)]
    path = f"{work}/rows.jsonl"
    with open(path, "w") as out:
        for _ in range(steps * BATCH + 64):
            text = " ".join(draw.choices(words, k=LENGTH))
            out.write(json.dumps({"instruction": text[:80], "input": "", "output": text}) + "\n")
    return path


def job(kind, path):
    """Tokens a second of the whole job as its summary counts it, which is without the start of Java and Spark; and of its steps alone; and what its
    dry run said of memory and hours, beside what they were: the process' largest resident size, Java's heap and Spark in it."""
    out = f"{work}/out-{kind}"
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(f"{work}/warehouse", ignore_errors=True)
    command = [
        f"{home}/submit/distillery", "sft", "--warehouse", f"{work}/warehouse", "--model", f"{work}/model", "--input", path,
        "--trainable", kind, "--train-on", "everything", "--packing", "constant-length", "--max-length", str(LENGTH),
        "--batch-size", str(BATCH), "--max-steps", str(steps), "--learning-rate", "1e-5", "--output-dir", out,
        "--", "--master", f"local[{threads}]"]
    planned = subprocess.run(
        command[:2] + ["--dry-run"] + command[2:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if planned.returncode != 0:
        sys.exit(planned.stderr[-2000:])
    plan = json.loads(planned.stdout.strip().splitlines()[-1])["figures"]
    with open(f"{work}/job-{kind}.err", "w") as err:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=err, text=True)
        resident = 0
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status") as status:
                    resident = next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), resident)
            except OSError:
                pass
            time.sleep(1)
    if process.returncode != 0:
        sys.exit(open(f"{work}/job-{kind}.err").read()[-2000:])
    summary = json.loads(process.stdout.read())
    print(f"{kind}: planned {plan['memory_bytes'] / 1e9:.2f} GB outside Java's heap and {plan['hours_here'] * 60:.1f} min; "
          f"resident {resident * 1024 / 1e9:.2f} GB with heap and Spark, trained {summary['figures']['train_seconds'] / 60:.1f} min")
    tokens = summary["figures"]["num_tokens"]
    return tokens / summary["seconds"], tokens / summary["figures"]["train_seconds"]


def alone(kind):
    """Tokens a second of the trainer, each step of the same shape; the first two are left out, as the job's start is."""
    shape = f"{work}/model" if kind == "lora" else "smollm2-135m"
    command = ["java", "-Xmx2g", "-XX:+UseParallelGC", "--add-modules", "jdk.incubator.vector", "dev.distillery.model.cpu.StudentBenchmark",
               "lora" if kind == "lora" else "train", shape, str(BATCH), str(LENGTH), str(threads)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def step():
        process.stdin.write("\n")
        process.stdin.flush()
        process.stdout.readline()

    step()
    step()
    started = time.monotonic()
    for _ in range(half):
        step()
    seconds = time.monotonic() - started
    process.stdin.close()
    process.wait()
    return half * BATCH * LENGTH / seconds


def trl(kind, path):
    """Tokens a second between the end of SFTTrainer's second step and its last."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trl_peer.py")
    done = subprocess.run(
        [sys.executable, script, kind, f"{work}/model", path, str(half + 2), str(BATCH), str(LENGTH), str(threads)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=work)
    if done.returncode != 0:
        sys.exit(done.stderr[-2000:])
    return float(done.stdout.split()[-1])


path = rows()
for kind in sys.argv[5:]:
    before = alone(kind), trl(kind, path)
    whole, stepping = job(kind, path)
    after = alone(kind), trl(kind, path)
    bare, peer = (2 / (1 / first + 1 / second) for first, second in zip(before, after))
    print(f"{kind}: before and after the job, tokens/s: trainer {before[0]:.1f}, {after[0]:.1f}; TRL {before[1]:.1f}, {after[1]:.1f}")
    print(f"{kind}: {steps} steps of {BATCH} x {LENGTH} tokens on {threads} threads, tokens/s: job {whole:.1f} (its steps {stepping:.1f}), "
          f"trainer alone {bare:.1f}, TRL {peer:.1f}")
    print(f"{kind}: job to trainer {whole / bare:.3f}, its steps {stepping / bare:.3f}; job to TRL {whole / peer:.3f}")
