"""Writes src/test/resources/golden/tokenizer/added-tokens.json: what tokenizers makes of random added tokens in
random texts, as a hash of the ids for each kind of tokenizer and each seed.

Run with tokenizers 0.23 installed, after make_tokenizer_goldens.py:
    python make_added_token_goldens.py                 # writes the file
    python make_added_token_goldens.py KIND SEED       # prints the tokens, texts and ids of a seed
Tokens overlap, strip white space left and right, are special or not, normalised or not; every text is encoded twice,
the second time with special tokens as plain text. AddedTokensTest draws the same by the same numbers, so that only
hashes are kept. Where tokenizers panics (it slices a text backwards, where one token's white space is another's
beginning) nothing is compared; those are listed.
"""

import json
import pathlib
import sys

import tokenizers
from tokenizers import Tokenizer

FOLDER = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "tokenizer"
KINDS = {
    "gpt2": ("gpt2", None),
    "smollm": ("smollm", None),
    "llama3": ("llama3", None),
    "qwen2": ("qwen2", None),
    "llama": ("llama", None),
    "metaspace-first": ("llama-metaspace", "first"),
    "metaspace-always": ("llama-metaspace", "always"),
    "metaspace-never": ("llama-metaspace", "never"),
    "gemma": ("gemma", None),
}
SEEDS, TEXTS = 120, 12
PIECES = ["a", "b", "ab", "<s>", "</s>", "<x>", " ", "  ", "\u2581", "\n", "\u00e9", "e\u0301", "1", "12", "'s", "\u4e2d"]
WORDS = ["da ne", " stu", "\t", "   ", "I'm", "123", "\u3000", "x", " \n ", "la la"]
MASK = (1 << 64) - 1


class Numbers:
    """A linear congruential generator, of whose state the upper bits count."""

    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & MASK
        return (self.state >> 33) % n


def drawn(numbers, vocabulary):
    """Added tokens as tokenizer.json has them."""
    tokens, next_id = [], len(vocabulary)
    for _ in range(2 + numbers.below(7)):
        content = "".join(PIECES[numbers.below(len(PIECES))] for _ in range(1 + numbers.below(3)))
        flags = [numbers.below(2), numbers.below(2), numbers.below(3) == 0, numbers.below(3) == 0]
        if any(content == t["content"] for t in tokens):
            continue
        known = content in vocabulary
        special, normalized, lstrip, rstrip = map(bool, flags)
        tokens.append(
            {
                "id": vocabulary[content] if known else next_id,
                "content": content,
                "single_word": False,
                "lstrip": lstrip,
                "rstrip": rstrip,
                "normalized": normalized,
                "special": special,
            }
        )
        next_id += not known
    return tokens


def texts(numbers, tokens):
    result = []
    for _ in range(TEXTS):
        text = ""
        for _ in range(1 + numbers.below(9)):
            kind = numbers.below(3)
            pool = [t["content"] for t in tokens] if kind == 0 else PIECES if kind == 1 else WORDS
            text += pool[numbers.below(len(pool))]
        result.append(text)
    return result


def case(kind, seed):
    """The tokenizer of a seed and its texts."""
    file, scheme = KINDS[kind]
    spec = json.loads((FOLDER / f"{file}.json").read_text())
    if scheme:
        spec["pre_tokenizer"]["prepend_scheme"] = scheme
    numbers = Numbers(seed)
    tokens = drawn(numbers, spec["model"]["vocab"])
    spec["added_tokens"] = tokens
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    for token in tokens:
        assert tokenizer.token_to_id(token["content"]) == token["id"], token
    return tokenizer, tokens, texts(numbers, tokens)


def ids(tokenizer, text, ordinary):
    tokenizer.encode_special_tokens = ordinary
    try:
        return tokenizer.encode(text, add_special_tokens=False).ids
    except BaseException as e:  # A panic is no Exception.
        if isinstance(e, KeyboardInterrupt):
            raise
        return None


def main():
    golden = {"tokenizers": tokenizers.__version__, "seeds": SEEDS, "texts": TEXTS, "kinds": {}}
    compared = 0
    for kind in KINDS:
        hashes, panics = [], []
        for seed in range(SEEDS):
            tokenizer, _, drawn_texts = case(kind, seed)
            h = 0xCBF29CE484222325
            for number, text in enumerate(drawn_texts):
                for ordinary in (False, True):
                    found = ids(tokenizer, text, ordinary)
                    if found is None:
                        panics.append(f"{seed}.{number}.{int(ordinary)}")
                        continue
                    compared += 1
                    for i in found + [MASK]:
                        h = ((h ^ i) * 0x100000001B3) & MASK
            hashes.append(f"{h:016x}")
        golden["kinds"][kind] = {"hashes": hashes, "panics": panics}
        print(kind, len(panics), "panics")
    golden["compared"] = compared
    (FOLDER / "added-tokens.json").write_text(json.dumps(golden, indent=0) + "\n")
    print(compared, "encodings")


def show(kind, seed):
    tokenizer, tokens, drawn_texts = case(kind, seed)
    for token in tokens:
        print(json.dumps(token))
    for number, text in enumerate(drawn_texts):
        print(number, repr(text), ids(tokenizer, text, False), ids(tokenizer, text, True))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        show(sys.argv[1], int(sys.argv[2]))
    else:
        main()
