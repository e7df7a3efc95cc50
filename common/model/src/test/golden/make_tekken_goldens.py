"""Writes src/test/resources/golden/tekken: a small tekken.json in Mistral's own form, and what mistral-common makes of nasty
text with it.

Run with mistral-common beside what make_tokenizer_goldens.py needs:
    python make_tekken_goldens.py
"""

import base64
import json
import pathlib
import random

from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy
from mistral_common.tokens.tokenizers.tekken import Tekkenizer
from tokenizers import Tokenizer, models, trainers
from tokenizers import pre_tokenizers as pre

from make_tokenizer_goldens import PRE, TEKKEN, corpus, nasty

OUT = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "tekken"
MARKS = 30


def repeats():
    """Texts over few letters, in which a token can be made of several pairs."""
    r = random.Random(31)
    return ["".join(r.choices("ab", k=r.randint(2, 40))) for _ in range(150)] + ["ab" * 25, "aba" * 20, "aab" * 20]


def vocabulary():
    """The tokens of a byte-level BPE as Tekken keeps them: all bytes by value, then what merges make."""
    alphabet = pre.ByteLevel.alphabet()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = PRE["tekken"]
    tokenizer.train_from_iterator(
        corpus() + repeats() * 3,
        trainers.BpeTrainer(vocab_size=800, initial_alphabet=alphabet, show_progress=False),
    )
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in printable]
    byte_of = {chr(b): b for b in printable} | {chr(256 + i): b for i, b in enumerate(others)}
    pieces = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    spelt = [bytes(byte_of[c] for c in piece) for piece, _ in pieces]
    return [bytes([b]) for b in range(256)] + [piece for piece in spelt if len(piece) > 1]


def text(piece):
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return None


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    tokens = vocabulary()
    spec = {
        "config": {
            "pattern": TEKKEN,
            "num_vocab_tokens": len(tokens),
            "default_vocab_size": MARKS + len(tokens) - 20,
            "default_num_special_tokens": MARKS,
            "version": "v3",
        },
        "vocab": [
            {"rank": i, "token_bytes": base64.b64encode(piece).decode(), "token_str": text(piece)}
            for i, piece in enumerate(tokens)
        ],
    }
    path = OUT / "tekken.json"
    path.write_text(json.dumps(spec, separators=(",", ":")).replace('},{"rank', '},\n{"rank') + "\n")
    tokenizer = Tekkenizer.from_file(path)
    rows = []
    for line in nasty() + repeats():
        ids = tokenizer.encode(line, bos=False, eos=False)
        rows.append({"text": line, "ids": ids})
        decoded = tokenizer.decode(ids, SpecialTokenPolicy.KEEP)
        if decoded != line:
            rows[-1]["decoded"] = decoded
    golden = {
        "size": tokenizer.n_words,
        "marks": [tokenizer.id_to_piece(i) for i in range(MARKS)],
        "bos": tokenizer.bos_id,
        "cases": rows,
    }
    written = json.dumps(golden, separators=(",", ":")).replace('},{"text', '},\n{"text')
    (OUT / "cases.json").write_text(written + "\n")


if __name__ == "__main__":
    main()
