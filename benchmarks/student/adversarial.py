"""1,000 lines that tokenizers part over: alphabets, emoji, marks, runs of spaces and line breaks, digits, code, case, looks of special tokens."""
import random

POOLS = [
    list("abcdefghijklmnopqrstuvwxyz"),
    list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    list("sStTmMdDlLrRvVeE'’"),
    ["the", "ing", " The", "ation", "Hello", "World", "HTTPServer", "camelCase", "don't", "I'LL", "it'S"],
    list("0123456789") + ["12345", "1,000", "3.14", "٣٤", "½", "Ⅷ", "²", "𝟘"],
    [" ", "  ", "   ", " " * 7, " " * 16, "\t", "\t\t", "\u00a0", "\u2003", "\u3000", "\u200b", "\ufeff"],
    ["\n", "\n\n", "\n\n\n\n", "\r\n", "\r", " \n ", "\n\t"],
    list(".,;:!?-_()[]{}<>|#@$%^&*+=/\\`~\"") + ["...", "//", "/**", "->", "==", "!="],
    ["é", "e\u0301", "Å", "A\u030a", "ü", "ß", "ﬁ", "ǅ", "ſ", "İ", "ı", "ø"],
    ["Привет", "мир", "да", "Ελληνικά", "ς", "שלום", "مرحبا", "ال", "हिन्दी", "क्ष", "ไทย", "தமிழ்"],
    ["中文", "日本語", "の", "한국어", "가", "ㄱ", "𠀀", "。", "，", "「"],
    ["🙂", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "❤️", "\u200d", "\ufe0f"],
    ["def f(x):\n    return x ** 2\n", "for (int i = 0; i < n; i++) {", "</div>", "SELECT *", "\\frac{a}{b}", "{\"a\": [1, 2]}"],
    ["<|im_start|>", "<|im_end|>", "<|endoftext|>", "<bos>", "<eos>", "<start_of_turn>", "<unk>", "<0x0A>", "[INST]", "<s>", "</s>"],
    ["\u0001", "\u007f", "\u00ad", "\ufffd", "\u2028", "\U0010fffd"],
]


def lines(count=1000):
    r = random.Random(27)
    made = ["", " ", "\n", "a" * 300, " " * 40, "\n" * 12, "ab" * 200, "9" * 50, "\u2581 \u2581", "Ġ Ċ"]
    while len(made) < count:
        pools = r.sample(POOLS, r.randint(1, 5))
        made.append("".join(r.choice(r.choice(pools)) for _ in range(r.randint(1, 30))))
    return made
