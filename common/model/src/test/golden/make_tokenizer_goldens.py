"""Writes src/test/resources/golden/tokenizer: small tokenizers as the reference libraries train
them, and what those make of nasty text.

Run with tokenizers, transformers, sentencepiece and jinja2 installed:
    python make_tokenizer_goldens.py [DIRECTORY_OF_GPT2_BPE [SMOLLM2_GGUF]]
With the directory that holds GPT-2's encoder.json and vocab.bpe, and SmolLM2's GGUF file (and gguf
installed), it also writes the ids that those vocabularies give.
"""

import json
import pathlib
import random
import struct
import sys
import tempfile

import sentencepiece
from jinja2.sandbox import ImmutableSandboxedEnvironment
from transformers.utils.chat_template_utils import render_jinja_template
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers
from tokenizers import pre_tokenizers as pre
from tokenizers import processors, trainers

OUT = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "tokenizer"
TEMPLATES = (
    pathlib.Path(__file__).parents[2] / "main/resources/dev/distillery/model/tokenizer/chat"
)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PRE = {
    "gpt2": pre.ByteLevel(add_prefix_space=False),
    "smollm": pre.Sequence([pre.Digits(True), pre.ByteLevel(add_prefix_space=False)]),
    "llama3": pre.Sequence(
        [
            pre.Split(Regex(LLAMA3), "isolated"),
            pre.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    ),
}
PRE["qwen2"] = pre.Sequence(
    [
        pre.Split(Regex(LLAMA3.replace("{1,3}", "")), "isolated"),
        pre.ByteLevel(add_prefix_space=False, use_regex=False),
    ]
)
TEKKEN = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
    r"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
PRE["tekken"] = pre.Sequence(
    [pre.Split(Regex(TEKKEN), "isolated"), pre.ByteLevel(add_prefix_space=False, use_regex=False)]
)
SPACES = [chr(c) for c in range(0x3001) if chr(c).isspace()] + ["\u200b", "\ufeff", "\u180e"]


def corpus():
    """Lines of an invented language, so that nothing here is anyone's text."""
    r = random.Random(11)
    syllables = [a + b for a in "b c d f l m n p r s t v th st".split() for b in "aeiou"]
    syllables += ["é", "ü", "да", "не", "го", "中", "文", "の", "नम", "ال"]
    words = ["".join(r.choices(syllables, k=r.randint(1, 4))) for _ in range(300)]
    ends = [".", ",", "!", "?", ":", "...", "'s", "'ll", "'t", " -", '"', "\n", "\n\n", " 🙂"]
    lines = []
    for _ in range(600):
        line = []
        for _ in range(r.randint(2, 12)):
            word = words[min(int(r.expovariate(0.03)), 299)]
            line.append(word.capitalize() if r.random() < 0.15 else word)
            if r.random() < 0.1:
                line.append(str(r.randint(0, 99999)))
        lines.append(" ".join(line) + r.choice(ends))
    return lines


def nasty():
    fixed = [
        "",
        " ",
        "  ",
        "a",
        "I'm you're we'll he'd she's they've don't it'S I'LL 'tis ''s '",
        "I'M YOU'RE WE'LL 'ſ 'ſa",
        "👩‍👩‍👧‍👦 👍🏽 🇩🇪🇫🇷 ❤️‍🔥 e\u0301 Å ﬁ ǆ",
        "日本語と中文と한국어 и русский και ελληνικά مرحبا שלום हिन्दी ไทย",
        "x" + "".join(f"{s}x" for s in SPACES),
        "".join(SPACES),
        "".join(f"{s} " for s in SPACES),
        "a\r\nb\r\n\r\n c\n\n\n d \n e\t\tf \t g\n",
        "   leading and trailing   ",
        "1 12 123 1234 12345 3.14 1,000,000 ١٢٣ ⅣⅫ ½ ² ① 𝟘𝟙 \U00011de0",
        "<|im_start|>user\nHi<|im_end|>\n<|im_end|><|im_start|",
        "<|endoftext|>  <|endoftext|>",
        "def f(x):\n    return {'a': [1, 2], \"b\": x ** 2}  # ok\n",
        "!!!???...;;;--- (((x))) [[y]] {{z}} $%^&*",
        "\u0000\u0001\u007f\u0080\u009f\u00ad\ufffd\uffff\U0010ffff",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "lalala" * 40,
        "Ġ Ċ ▁ <0x0A> <unk> </s> <s>",
    ]
    r = random.Random(5)
    pools = [
        list("abcdefghijklmnopqrstuvwxyz"),
        list("sStTmMdDlLrRvVeE'’"),
        SPACES,
        list("0123456789٣½Ⅷ"),
        list(" \n\r\t"),
        list(".,;:!?-_()[]<>|#@"),
        list("éüдне中文の한ال🙂👍\u200d\ufe0f\u0301ſ"),
        ["da", "ne", "the", "stu", " ", "<|im_end|>", "<|endoftext|>", "[MASK]", "added"],
    ]
    mixed = ["".join(r.choice(r.choice(pools)) for _ in range(r.randint(1, 40))) for _ in range(140)]
    return fixed + mixed


def cases(encode, decode):
    rows = []
    for text in nasty():
        row = {"text": text, "ids": encode(text)}
        decoded = decode(row["ids"])
        rows.append(row if decoded == text else {**row, "decoded": decoded})
    return rows


def cuts():
    """Where Tekken's expression cuts texts in which capitals, small letters, others and marks meet."""
    r = random.Random(23)
    pools = ["abß", "ABÉ", "ǅǈ", "ʰˀ", "中のאب", "\u0301\u0308\u0903\u20dd", "0١Ⅷ", " ", " \t\u00a0\n\r", "/", "!?-_'🙂"]
    rows = []
    for _ in range(600):
        text = "".join(r.choice(r.choice(pools)) for _ in range(r.randint(1, 24)))
        pieces = pre.Split(Regex(TEKKEN), "isolated").pre_tokenize_str(text)
        rows.append({"text": text, "ends": [end for _, (_, end) in pieces]})
    write("tekken-cuts.json", rows)


def write(name, value):
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    (OUT / name).write_text(text.replace('},{"text', '},\n{"text') + "\n")


def byte_level(name):
    tokenizer = Tokenizer(models.BPE(ignore_merges=name in ("llama3", "tekken")))
    tokenizer.pre_tokenizer = PRE[name]
    if name == "qwen2":
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        corpus(),
        trainers.BpeTrainer(
            vocab_size=600,
            special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
            initial_alphabet=pre.ByteLevel.alphabet() if name != "smollm" else [],
            show_progress=False,
        ),
    )
    if name == "gpt2":
        tokenizer.save(str(OUT / f"trained-{name}.json"), pretty=False)
    tokenizer.add_special_tokens([AddedToken("[MASK]", lstrip=True, rstrip=True)])
    tokenizer.add_tokens([AddedToken("added", normalized=True), "adde"])
    if name == "llama3":
        tokenizer.post_processor = processors.Sequence(
            [
                processors.ByteLevel(trim_offsets=False),
                processors.TemplateProcessing(
                    single="<|endoftext|> $A",
                    pair="<|endoftext|> $A <|endoftext|> $B",
                    special_tokens=[("<|endoftext|>", 0)],
                ),
            ]
        )
    tokenizer.save(str(OUT / f"{name}.json"), pretty=False)
    write(
        f"{name}-cases.json",
        cases(
            lambda t: tokenizer.encode(t, add_special_tokens=False).ids,
            lambda i: tokenizer.decode(i, skip_special_tokens=False),
        ),
    )


def llama_json():
    """LLaMA's kind of tokenizer.json: BPE with byte fallback over whole texts."""
    for name, metaspace in (("llama", False), ("llama-metaspace", True)):
        tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
        if metaspace:
            tokenizer.pre_tokenizer = pre.Metaspace(prepend_scheme="first", split=False)
        else:
            tokenizer.normalizer = normalizers.Sequence(
                [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
            )
        tokenizer.decoder = decoders.Sequence(
            [
                decoders.Replace("▁", " "),
                decoders.ByteFallback(),
                decoders.Fuse(),
                decoders.Strip(" ", 1, 0),
            ]
        )
        tokenizer.train_from_iterator(
            (word for line in corpus() for word in line.split(" ")),
            trainers.BpeTrainer(
                vocab_size=700,
                special_tokens=["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)],
                show_progress=False,
            ),
        )
        spec = json.loads(tokenizer.to_str())
        spec["added_tokens"] = [t for t in spec["added_tokens"] if t["id"] < 3]
        tokenizer = Tokenizer.from_str(json.dumps(spec))
        tokenizer.save(str(OUT / f"{name}.json"), pretty=False)
        write(
            f"{name}-cases.json",
            cases(
                lambda t: tokenizer.encode(t, add_special_tokens=False).ids,
                lambda i: tokenizer.decode(i, skip_special_tokens=False),
            ),
        )


def gemma_json():
    """Gemma's: no space in front, line breaks in pieces, runs of spaces and line breaks and tags as added tokens."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.pre_tokenizer = pre.Split(" ", "merged_with_previous")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    words = [word for line in corpus() for word in line.replace(" ", "▁ ").split(" ")]
    tokenizer.train_from_iterator(
        words,
        trainers.BpeTrainer(
            vocab_size=700,
            special_tokens=["<pad>", "<eos>", "<bos>", "<unk>"] + [f"<0x{b:02X}>" for b in range(256)],
            show_progress=False,
        ),
    )
    spec = json.loads(tokenizer.to_str())
    spec["added_tokens"] = [t for t in spec["added_tokens"] if t["id"] < 4]
    tokenizer = Tokenizer.from_str(json.dumps(spec))
    runs = ["\n" * n for n in range(2, 6)] + ["▁" * n for n in range(2, 6)] + ["<table>", "added"]
    tokenizer.add_tokens([AddedToken(run, normalized=False) for run in runs])
    tokenizer.save(str(OUT / "gemma.json"), pretty=False)
    write(
        "gemma-cases.json",
        cases(
            lambda t: tokenizer.encode(t, add_special_tokens=False).ids,
            lambda i: tokenizer.decode(i, skip_special_tokens=False),
        ),
    )


def sentence_piece():
    """A SentencePiece model with LLaMA's settings, as llama2.c's tokenizer.py exports it."""
    with tempfile.TemporaryDirectory() as folder:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(corpus()),
            model_prefix=f"{folder}/m",
            model_type="bpe",
            vocab_size=700,
            character_coverage=1.0,
            split_digits=True,
            allow_whitespace_only_pieces=True,
            byte_fallback=True,
            unk_surface=" \u2047 ",
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            minloglevel=2,
        )
        sp = sentencepiece.SentencePieceProcessor(model_file=f"{folder}/m.model")
    tokens = []
    for i in range(sp.vocab_size()):
        piece = sp.id_to_piece(i)
        piece = {1: "\n<s>\n", 2: "\n</s>\n"}.get(i, piece).replace("▁", " ")
        tokens.append((sp.get_score(i), piece.encode()))
    with (OUT / "llama2c.bin").open("wb") as out:
        out.write(struct.pack("I", max(len(b) for _, b in tokens)))
        for score, piece in tokens:
            out.write(struct.pack("fI", score, len(piece)) + piece)
    # SentencePiece takes U+2581 for a space and drops U+0000; and `<s>` for text, unlike us.
    plain = lambda t: not any(c in t for c in ("\u2581", "\u0000", "<s>", "</s>"))
    rows = cases(sp.encode, sp.decode)
    write("llama2c-cases.json", [row for row in rows if plain(row["text"])])


def chats():
    """What transformers' Jinja settings make of the templates that exports carry."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    system = {"role": "system", "content": "Be brief. "}
    turns = [
        {"role": "user", "content": " Hi, who\nare you?"},
        {"role": "assistant", "content": "I am\n\nme. "},
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": "日本"},
    ]
    dialogues = [turns[:1], turns[:2], [system] + turns[:1], turns, [system] + turns]
    rows = []
    for file in sorted(TEMPLATES.glob("*.jinja")):
        template = environment.from_string(file.read_text())
        for messages in dialogues:
            for prompt in (False, True):
                if prompt and messages[-1]["role"] == "assistant":
                    # What is begun is gone on from.
                    (text,), _ = render_jinja_template(
                        [messages],
                        chat_template=file.read_text(),
                        continue_final_message=True,
                        eos_token="</s>",
                    )
                else:
                    text = template.render(
                        messages=messages, add_generation_prompt=prompt, eos_token="</s>"
                    )
                rows.append(
                    {"text": text, "template": file.stem, "messages": messages, "prompt": prompt}
                )
    write("chat-cases.json", rows)
    against_fastchat(environment, turns)


def against_fastchat(environment, turns):
    """Checks the templates that have no model's own form against FastChat's, if it is installed."""
    try:
        from fastchat.conversation import get_conv_template
    except ImportError:
        print("fastchat is not installed: its templates are not compared")
        return
    for ours, theirs in (("vicuna", "vicuna_v1.1"),):
        conversation = get_conv_template(theirs)
        messages = [turns[0], turns[1], turns[2]]
        for message in messages:
            conversation.append_message(
                conversation.roles[message["role"] == "assistant"], message["content"]
            )
        conversation.append_message(conversation.roles[1], None)
        text = environment.from_string((TEMPLATES / f"{ours}.jinja").read_text()).render(
            messages=messages, add_generation_prompt=True, eos_token="</s>"
        )
        assert text == conversation.get_prompt(), (text, conversation.get_prompt())
        print(f"{ours} is FastChat's {theirs}")


def published(gpt2, smollm2):
    if gpt2:
        tokenizer = Tokenizer(models.BPE.from_file(f"{gpt2}/encoder.json", f"{gpt2}/vocab.bpe"))
        tokenizer.pre_tokenizer = PRE["gpt2"]
        write(
            "published-gpt2-cases.json",
            [{"text": t, "ids": tokenizer.encode(t).ids} for t in nasty()],
        )
    if smollm2:
        import gguf

        fields = gguf.GGUFReader(smollm2).fields
        tokens = fields["tokenizer.ggml.tokens"].contents()
        types = fields["tokenizer.ggml.token_type"].contents()
        merges = [tuple(m.split(" ")) for m in fields["tokenizer.ggml.merges"].contents()]
        tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
        tokenizer.pre_tokenizer = PRE["smollm"]
        tokenizer.add_special_tokens([t for t, kind in zip(tokens, types) if kind == 3])
        write(
            "published-smollm2-cases.json",
            [{"text": t, "ids": tokenizer.encode(t).ids} for t in nasty()],
        )


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "corpus.txt").write_text("\0".join(corpus()))
    for name in PRE:
        byte_level(name)
    cuts()
    llama_json()
    gemma_json()
    sentence_piece()
    chats()
    published(*(sys.argv[1:] + [None, None])[:2])
