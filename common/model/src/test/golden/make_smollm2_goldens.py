"""Writes src/test/resources/golden/smollm2: what transformers and tokenizers make of the published
SmolLM2-135M-Instruct, read from its GGUF file (Q4_1) and widened to float32.

Run with torch, transformers, accelerate, gguf, tokenizers, sentencepiece and jinja2 installed:
    python make_smollm2_goldens.py $(submit/fetch-model)

prompts.json has 20 prompts with their ids, the ten largest logits after each of them, and the greedy continuation
with the margin of each of its tokens over the second best. text.json has the hash of the ids of 10 MB of text
that is put together from published-smollm2-cases.json.
"""

import hashlib
import json
import pathlib
import struct
import sys

import gguf
import torch
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM

from make_tokenizer_goldens import PRE, nasty

OUT = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "smollm2"
TOP = 10
NEW_TOKENS = 24
TEXT_BYTES = 10_000_000
PROMPTS = [
    "The capital of France is",
    "Water boils at a temperature of",
    "Once upon a time, in a small village by the sea,",
    "The three primary colours are",
    "def fibonacci(n):\n    ",
    "1, 2, 3, 5, 8, 13,",
    "To bake a loaf of bread you need",
    "The opposite of hot is",
    "Dear Sir or Madam,\n\nI am writing to",
    "Q: Which planet is the largest?\nA:",
    "Le chat est sur la",
    "import numpy as np\n\nx = np.",
    "The mitochondrion is the",
    "Monday, Tuesday, Wednesday,",
    "Roses are red,\nviolets are blue,\n",
    "In 1969, the first human",
    "A list of fruits:\n- apple\n- banana\n-",
    "| name | age |\n|---|---|\n| Ann | 31 |\n|",
    "<|im_start|>user\nWhat is the capital of Italy?<|im_end|>\n<|im_start|>assistant\n",
    "<|im_start|>user\nName two animals that fly. \U0001f600<|im_end|>\n<|im_start|>assistant\n",
]


def tokenizer(path):
    fields = gguf.GGUFReader(path).fields
    tokens = fields["tokenizer.ggml.tokens"].contents()
    types = fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
    made = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    made.pre_tokenizer = PRE["smollm"]
    made.add_special_tokens([t for t, kind in zip(tokens, types) if kind == 3])
    return made


def prompts(path, encode):
    model = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    rows = []
    for text in PROMPTS:
        ids = encode(text)
        continuation, margins = [], []
        with torch.no_grad():
            top = model(torch.tensor([ids])).logits[0, -1].topk(TOP)
            for _ in range(NEW_TOKENS):
                best = model(torch.tensor([ids + continuation])).logits[0, -1].topk(2)
                continuation.append(best.indices[0].item())
                margins.append(round((best.values[0] - best.values[1]).item(), 4))
        rows.append(
            {
                "text": text,
                "ids": ids,
                "top": top.indices.tolist(),
                "logits": [round(v, 5) for v in top.values.tolist()],
                "continuation": continuation,
                "margins": margins,
            }
        )
    text = json.dumps(rows, ensure_ascii=True, separators=(",", ":"))
    (OUT / "prompts.json").write_text(text.replace('},{"text', '},\n{"text') + "\n")


def long_text():
    """Pieces of the nasty texts in the order of a linear congruential generator."""
    pieces, parts, size, state = nasty(), [], 0, 1
    while size < TEXT_BYTES:
        state = (state * 1103515245 + 12345) % 2**31
        parts.append(pieces[(state >> 16) % len(pieces)])
        size += len(parts[-1].encode())
    return "".join(parts), size


def main(path):
    OUT.mkdir(parents=True, exist_ok=True)
    made = tokenizer(path)
    text, size = long_text()
    ids = made.encode(text).ids
    digest = hashlib.sha256(struct.pack(f"<{len(ids)}i", *ids)).hexdigest()
    value = {"bytes": size, "tokens": len(ids), "sha256": digest}
    (OUT / "text.json").write_text(json.dumps(value) + "\n")
    prompts(path, lambda t: made.encode(t).ids)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
