"""Writes src/test/resources/golden/tokens: a small tokenizer, masks by transformers, packing by TRL.

  python3 make_token_goldens.py WHEEL OUT

WHEEL is trl-0.7.11-py3-none-any.whl (pip download --no-deps trl==0.7.11): the last TRL with ConstantLengthDataset as
StackLLaMA used it, whose class is run as it stands there. The rest needs tokenizers, transformers and trl as installed
(made with transformers 5.18, trl 1.16).
"""
import ast
import json
import os
import random
import sys
import warnings
import zipfile

import torch
from datasets import Dataset
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.utils.data import IterableDataset
from transformers import PreTrainedTokenizerFast
from trl import pack_dataset

MARKED = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' }}"
    "{% if m['role'] == 'assistant' and CONDITION %}{% generation %}{{ m['content'] + '<|im_end|>' }}{% endgeneration %}"
    "{% else %}{{ m['content'] + '<|im_end|>' }}{% endif %}{{ '\n' }}{% endfor %}"
)
DIALOGUES = [
    [("user", "one"), ("assistant", "uno")],
    [("user", "count"), ("assistant", "one two three"), ("user", "again, please"), ("assistant", "four five six")],
    [("system", "Be short."), ("user", "say the word"), ("assistant", "the"), ("user", "thanks")],
    [("user", "wide: é, 水, 😀"), ("assistant", "the fox in the water 😀")],
]
ALPACA = (
    "Below is an instruction that describes a task{pair}. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n{input}### Response:"
)
TASKS = [("Name a color.", "", "Blue"), ("Add the numbers.", "2 and 3", "The sum is 5."), ("Repeat.", "  ", "again")]


def tokenizer():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    texts = [c for d in DIALOGUES for _, c in d] + [ALPACA] * 3 + [x for task in TASKS for x in task]
    t.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=340,
            special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    # eos = pad = the closing mark: a mask made of ids would lose every learned stop.
    return PreTrainedTokenizerFast(tokenizer_object=t, eos_token="<|im_end|>", pad_token="<|im_end|>")


def masks(t):
    rows = []
    for dialogue in DIALOGUES:
        messages = [{"role": r, "content": c} for r, c in dialogue]
        last = max(i for i, m in enumerate(messages) if m["role"] == "assistant")
        row = {"messages": messages}
        for name, condition in [("all_turns", "true"), ("last_turn", f"loop.index0 == {last}")]:
            t.chat_template = MARKED.replace("CONDITION", condition)
            out = t.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
            row["ids"] = out["input_ids"]
            row[name] = out["assistant_masks"]
        rows.append(row)
    return rows


def alpaca(t):
    """preprocess of stanford_alpaca/train.py: source and target are tokenised, the source's length is masked."""
    rows = []
    for instruction, given, output in TASKS:
        # The published code looks at input == ""; a blank one is none here.
        blank = given.strip() == ""
        source = ALPACA.format(
            pair="" if blank else ", paired with an input that provides further context",
            instruction=instruction,
            input="" if blank else f"### Input:\n{given}\n\n",
        )
        ids = t(source + output + t.eos_token)["input_ids"]
        masked = len(t(source)["input_ids"])
        rows.append(
            {"instruction": instruction, "input": given, "output": output, "ids": ids,
             "trained": [0] * masked + [1] * (len(ids) - masked)}
        )
    return rows


def packing():
    draw = random.Random(3)
    cases = [([5, 2, 3, 1], 4), ([1] * 9, 4), ([4, 4, 4], 4)]
    for capacity, count in [(16, 40), (17, 200), (64, 300), (100, 1000)]:
        cases.append(([draw.randint(1, capacity) for _ in range(count)], capacity))
        cases.append(([min(capacity, 1 + int(draw.expovariate(6 / capacity))) for _ in range(count)], capacity))
    out = []
    for lengths, capacity in cases:
        # A row's tokens are its number, so that the packed tokens say who went where.
        rows = Dataset.from_dict({"input_ids": [[i] * n for i, n in enumerate(lengths)]})
        packed = pack_dataset(rows, seq_length=capacity, strategy="bfd", map_kwargs={"batch_size": 1000})
        bins = []
        for ids, seq_lengths in zip(packed["input_ids"], packed["seq_lengths"]):
            at, members = 0, []
            for n in seq_lengths:
                members.append(ids[at])
                at += n
            bins.append(members)
        out.append({"lengths": [min(n, capacity) for n in lengths], "capacity": capacity, "bins": bins})
    return out


def constant_length(t, wheel):
    source = zipfile.ZipFile(wheel).read("trl/trainer/utils.py").decode()
    node = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == "ConstantLengthDataset")
    names = {"IterableDataset": IterableDataset, "torch": torch, "warnings": warnings, "random": random}
    exec(compile(ast.Module([node], []), "utils.py", "exec"), names)
    draw = random.Random(4)
    words = "the fox in the water one two three four five six count again é 水".split()
    pairs = [(" ".join(draw.choices(words, k=draw.randint(1, 9))), " ".join(draw.choices(words, k=draw.randint(1, 30))))
             for _ in range(120)]
    texts = [f"Question: {q}\n\nAnswer: {a}" for q, a in pairs]
    characters = sum(map(len, texts))
    tokens = sum(len(t(x)["input_ids"]) for x in texts)
    rows = names["ConstantLengthDataset"](
        t, [{"text": x} for x in texts], dataset_text_field="text", seq_length=32, num_of_sequences=8,
        chars_per_token=characters / tokens, shuffle=False)
    return {"pairs": pairs, "length": 32, "sequences": 8, "characters": characters, "tokens": tokens,
            "rows": [r["input_ids"].tolist() for r in rows]}


def main(wheel, out):
    os.makedirs(out, exist_ok=True)
    t = tokenizer()
    t.backend_tokenizer.save(f"{out}/tokenizer.json")
    golden = {"masks": masks(t), "alpaca": alpaca(t), "packing": packing(), "constant_length": constant_length(t, wheel)}
    with open(f"{out}/tokens.json", "w", encoding="utf-8") as file:
        json.dump(golden, file, ensure_ascii=False, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
