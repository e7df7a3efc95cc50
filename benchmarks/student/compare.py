#!/usr/bin/env python3
"""Takes turns between PyTorch with transformers and the student on the same work, and prints ratios.

    python benchmarks/student/compare.py train smollm2-135m 2 256
    python benchmarks/student/compare.py train 4m 8 128
    python benchmarks/student/compare.py train gemma3-270m 1 256
    python benchmarks/student/compare.py decode smollm2-135m 1 64
    python benchmarks/student/compare.py decode SmolLM2-135M-Instruct.Q4_1.gguf 16 64

needs torch and transformers, and CLASSPATH set as benchmarks/student/run does, which is the command to use.
Both sides run in processes of their own, one at a time, float32, the same threads and shapes, random tokens; both
are warmed up, then each is measured ROUNDS times (10), interleaved, on THREADS threads (2). Figures are tokens per second of wall time (median,
lowest, highest), per second of processor time (median), and the peak resident memory. A quantised file is compared
with transformers' float32 on the same shape. `decode` also measures how fast memory can be read, and says what part
of that decoding at batch 1 reaches. `train` says how many times the sum of its parts the student's peak is (weights, gradient
and moments, what the backward pass keeps, a piece of logits), and ends with 1 where it is more than 1.3 and the parts are a gigabyte or more. Of the
shapes qwen2.5-0.5b and gemma3-270m the whole logits would be as large as the rest of the activations.

    python benchmarks/student/compare.py product Q4_1 1 1

prints how fast the product of one row with a large quantised matrix reads it, beside the speed of memory; there is no peer.
"""
import os
import statistics
import subprocess
import sys

ROUNDS, WARM_UP, THREADS = int(os.environ.get("ROUNDS", 10)), 3, int(os.environ.get("THREADS", 2))
# What decoding a token in float32 reads: every weight once, heads are tied.
FLOAT_GIGABYTES = {"smollm2-135m": 0.538, "qwen2.5-0.5b": 1.976, "gemma3-270m": 1.072}
MAIN = "dev.distillery.model.cpu.StudentBenchmark"


class Student:
    name = "student"

    def __init__(self, arguments):
        self.process = subprocess.Popen(
            ["java", "-Xmx1g", "--add-modules=jdk.incubator.vector", MAIN, *arguments, str(THREADS)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line="go"):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        while True:
            answer = self.process.stdout.readline()
            if not answer:
                raise SystemExit("The process of " + self.name + " ended")
            try:
                return [float(x) for x in answer.split()]
            except ValueError:
                continue  # a line that the JVM printed


class Peer(Student):
    name = "transformers"

    def __init__(self, arguments):
        self.process = subprocess.Popen([sys.executable, __file__, "--peer", *arguments],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def peer(work, shape, batch, length):
    import resource
    import time

    import torch
    import transformers

    torch.set_num_threads(THREADS)
    torch.manual_seed(1)
    small = shape == "4m"
    common = dict(tie_word_embeddings=True, attn_implementation="sdpa", bos_token_id=1, eos_token_id=None, pad_token_id=0)
    if shape == "qwen2.5-0.5b":
        config = transformers.Qwen2Config(
            vocab_size=151_936, hidden_size=896, intermediate_size=4864, num_hidden_layers=24, num_attention_heads=14,
            num_key_value_heads=2, max_position_embeddings=32_768, **common)
    elif shape == "gemma3-270m":
        config = transformers.Gemma3TextConfig(
            vocab_size=262_144, hidden_size=640, intermediate_size=2048, num_hidden_layers=18, num_attention_heads=4,
            num_key_value_heads=1, head_dim=256, sliding_window=512, max_position_embeddings=32_768, **common)
    else:
        config = transformers.LlamaConfig(
            vocab_size=4096 if small else 49152, hidden_size=256 if small else 576,
            intermediate_size=688 if small else 1536, num_hidden_layers=4 if small else 30,
            num_attention_heads=4 if small else 9, num_key_value_heads=4 if small else 3, max_position_embeddings=2048, **common)
    model = transformers.AutoModelForCausalLM.from_config(config)
    batch, length = int(batch), int(length)
    if work == "train":
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.0, fused=True)
        ids = torch.randint(0, config.vocab_size, (batch, length))

        def run():
            optimizer.zero_grad()
            model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            return batch * length
    else:
        model.eval()
        prompt = torch.randint(0, config.vocab_size, (batch, 16))

        def run():
            with torch.no_grad():
                out = model.generate(prompt, attention_mask=torch.ones_like(prompt), do_sample=False,
                                     max_new_tokens=length, min_new_tokens=length)
            return batch * (out.shape[1] - 16)
    for line in sys.stdin:
        if line.strip() == "memory":
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, flush=True)
            continue
        wall, cpu = time.perf_counter(), time.process_time()
        tokens = run()
        print(tokens / (time.perf_counter() - wall), tokens / (time.process_time() - cpu), flush=True)


def bandwidth(work="bandwidth", kind="-"):
    """Gigabytes that are read in a second: the median of 12 times."""
    side = Student([work, kind, "1", "1"])
    for _ in range(WARM_UP):
        side.ask()
    speed = statistics.median(side.ask()[0] for _ in range(12)) / 1000
    side.process.kill()
    return speed


def main(arguments):
    if arguments[0] == "product":
        product, memory = bandwidth("product", arguments[1]), bandwidth()
        print(f"{arguments[1]} is multiplied at {product:.1f} GB/s, memory is read at {memory:.1f} GB/s: {product / memory:.2f}")
        return
    shape = "smollm2-135m" if arguments[1].endswith(".gguf") else arguments[1]
    sides = [Student(arguments), Peer([arguments[0], shape, *arguments[2:]])]
    results = {side.name: [] for side in sides}
    for _ in range(WARM_UP):
        for side in sides:
            side.ask()
    for _ in range(ROUNDS):
        for side in sides:
            results[side.name].append(side.ask())
    medians, memory = {}, {}
    for side in sides:
        wall = [r[0] for r in results[side.name]]
        cpu = statistics.median(r[1] for r in results[side.name])
        medians[side.name] = statistics.median(wall), cpu
        memory[side.name] = side.ask("memory")
        print(f"{side.name:13} {medians[side.name][0]:8.1f} tokens/s ({min(wall):.1f} to {max(wall):.1f}), "
              f"{cpu:8.1f} per processor second, peak {memory[side.name][0]:.0f} MB")
    print("ratio %.2f by wall time, %.2f by processor time" % tuple(
        a / b for a, b in zip(medians["student"], medians["transformers"])))
    for side in sides:
        side.process.kill()
    if arguments[0] == "decode" and arguments[2] == "1":
        gigabytes = os.path.getsize(arguments[1]) / 1e9 if arguments[1].endswith(".gguf") else FLOAT_GIGABYTES[shape]
        speed = bandwidth()
        print(f"memory is read at {speed:.1f} GB/s, for {speed / gigabytes:.1f} tokens/s at most: "
              f"{medians['student'][0] * gigabytes / speed:.2f} of that is reached")
    if arguments[0] == "train":
        peak, parts = memory["student"]
        print(f"the student's peak is {peak / max(1, parts):.2f} times the sum of its parts, {parts:.0f} MB")
        sys.exit(1 if parts >= 1000 and peak > 1.3 * parts else 0)


if sys.argv[1] == "--peer":
    peer(*sys.argv[2:])
else:
    main(sys.argv[1:])
