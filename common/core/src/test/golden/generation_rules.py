"""Golden cases for the rules by which Self-Instruct and Alpaca read a teacher's replies.

The original scripts cannot be installed: they are no packages, and importing them needs an API
client and a key. This is an independent transcription of their rules, written from a reading of
  yizhongw/self-instruct  self_instruct/bootstrap_instructions.py, prepare_for_finetuning.py
  tatsu-lab/stanford_alpaca  generate_instruction.py
in Python, so that re, str.capitalize, str.split and str.strip are the very functions on which the
originals rest. It shares nothing with the Java code. Replies are our own.

Run:  python3 common/core/src/test/golden/generation_rules.py
writes common/core/src/test/resources/golden/generation-rules.json
"""

import json
import pathlib
import re
import string

SELF_INSTRUCT_WORDS = "image images graph graphs picture pictures file files map maps draw plot".split()
SELF_INSTRUCT_WORDS.append("go to")
ALPACA_WORDS = SELF_INSTRUCT_WORDS + "video audio music flowchart diagram".split()


def rule_that_drops(instruction, words):
    """The first rule that drops an instruction, or None."""
    count = len(instruction.split())
    if count <= 3:
        return "too_short"
    if count > 150:
        return "too_long"
    for word in words:
        if re.search(r"\b(" + word + r")\b", instruction, re.IGNORECASE):
            return "blacklisted_word"
    if instruction.startswith("Write a program"):
        return "write_a_program"
    if instruction[0] in string.punctuation:
        return "leading_punctuation"
    if not instruction[0].isascii():
        return "leading_character"
    return None


def read_instructions(reply, finish_reason):
    """[(instruction, rule or None)] of a Self-Instruct list; blank items are skipped."""
    read = []
    for item in re.split(r"\n\d+\s?\. ", reply):
        instruction = re.sub(r"\s+", " ", item).strip().capitalize()
        if instruction:
            rule = rule_that_drops(instruction, SELF_INSTRUCT_WORDS)
            read.append((instruction, "truncated" if finish_reason == "length" else rule))
    return read


def read_alpaca(reply, finish_reason, shown):
    """[(instruction, input, output)] that are kept, and the rule of each piece of the reply."""
    kept, rules = [], []
    pieces = (str(shown + 1) + ". Instruction:" + reply).split("###")
    for place, piece in enumerate(pieces):
        if finish_reason == "length" and place == len(pieces) - 1:
            rules.append("truncated")
            continue
        head = str(place + shown + 1) + r"\.\s+(Instruction|Input|Output):"
        parts = re.split(head, piece)
        if len(parts) != 7:
            rules.append("malformed")
            continue
        instruction, given, answer = (parts[i].strip() for i in (2, 4, 6))
        rule = rule_that_drops(instruction, ALPACA_WORDS)
        rules.append(rule)
        if rule is None:
            kept.append((instruction, "" if given.lower() == "<noinput>" else given, answer))
    return kept, rules


OUTPUT = r"Output\s*\d*\s*:"
INPUT = r"Input\s*\d*\s*:"


def input_and_output(text):
    parts = re.split(OUTPUT, text)
    given, answer = ("", text.strip()) if len(parts) == 1 else (parts[0].strip(), parts[1].strip())
    answer = re.split(INPUT, answer)[0].strip() if re.search(INPUT, answer) else answer
    return re.sub("^" + INPUT, "", given).strip(), answer


def read_instances(reply, finish_reason, classification):
    """[(input, output)] before any filter."""
    read = []
    if classification:
        for part in reply.split("Class label:")[1:]:
            label, _, given = part.strip().partition("\n")
            read.append((given.strip(), label.strip()))
    else:
        reply = reply.strip()
        example = r"Example\s?\d*\.?"
        if re.search(example, reply):
            read = [input_and_output(t.strip()) for t in re.split(example, reply) if t.strip()]
        elif re.search(OUTPUT, reply):
            read = [input_and_output(reply)]
    return read[:-1] if finish_reason == "length" else read


def filter_instances(instances):
    """What is left, as a sorted list: the original's order is that of a set."""
    left = [
        (given, answer)
        for given, answer in instances
        if given != answer and answer != "" and not given.strip().endswith(":")
        and not answer.strip().endswith(":")
    ]
    for given, answer in left:
        if given and any(g == given and a != answer for g, a in left):
            return []
    return sorted(set(left))


LISTS = [
    " Name three rivers of Peru.\n10. Who wrote The Iliad and why?\n11. Explain NASA's budget to me.",
    " Which costs more, a mug for\n20. dollars or a cup?\n10 . Say hello in four ways.",
    " One two three four\n10.No space here at all\n11. \n12. Five six seven eight",
    " Describe the image in detail.\n10. Go  to the shop and buy bread.\n11. Write a profile of Ada.\n"
    "12. DRAW a map of Rome.\n13. Make a roadmap for a bakery.\n14. List the file's four fields.",
    " write a program that adds numbers\n10. Write a programme for the concert tonight.\n"
    "11. Please write a program that sorts.",
    " \"Carpe diem\": what does it mean?\n10. ¿Qué hora es en Lima ahora?\n11. Élan is what kind of word?\n"
    "12. - say four small words",
    " ßtraße is a funny word here\n10. ﬁnd four small fish here\n11. ΟΔΟΣ is a Greek word here\n"
    "12. ŉ four words or more\n13. ǆ four words or more",
    " Nbsp\u00a0splits\u00a0words\u00a0too\n10. One\u001ftwo three\u2003four\n١١. Arabic digits part items too\n"
    "12\u00a0. One two three four five",
    "",
    "\n\n",
    " " + "word " * 150 + "\n10. " + "word " * 151,
    " İstanbul is where four cats live\n10. The İMAGE has a dotted letter\n11. The \u0131mage has a dotless one"
    "\n12. Four map\u017f with a long letter",
    " snake_image is one word here\n10. imáge is no listed word\n11. The image2 has a digit\n12. Show an image\u0301 with a mark",
    "9. Name a river in Peru.\r\n10. Say hello in four ways.\r\n",
]

TASKS = [
    " Name a river in Peru.\n4. Input:\n<noinput>\n4. Output:\nThe Amazon.\n###\n"
    "5. Instruction: Count the letters below.\n5. Input:\nmoss\n5. Output:\n4\n",
    " Name a river in Peru.\n4. Input:\nNo input\n4. Output:\n\n###\n6. Instruction: Count the letters.\n"
    "6. Input:\nmoss\n6. Output:\n4\n###\n6. Instruction: Say hello to everyone.\n6. Input: <NOINPUT>\n6. Output: hi",
    " Name a river in Peru.\n4. Input:\nx\n4. Output:\ny\n##\n5. Instruction: Count the letters.\n5. Input:\nz\n"
    "5. Output:\n4",
    " Which river is longer here?\n4. Output:\nx\n4. Input:\ny\n### 5.  Instruction: Add the two numbers."
    "\n5.\nInput: 1\n5. Output: see 4. Output: above",
    " Quote 14. Instruction: from it\n4. Input: a\n4. Output: b ### 5. Instruction: Four words are here\n"
    "5. input: a\n5. Output: b",
    " See the video of it\n4. Input:\n<noinput>\n4. Output:\na\n###\n5. Instruction: write a program that sorts\n"
    "5. Input:\n<noinput>\n5. Output:\nb\n###\n6. Instruction: Write a program that sorts\n6. Input:\nc\n6. Output:\nd",
    " Two words\n4. Input:\na\n4. Output:\nb\n####\n5. Instruction: Four words are here\n5. Input: a\n5. Output: b",
    "",
]

EXAMPLES = [
    "Example 1\nList: 3, 1\nOutput: 1, 3\nExample 2\nInput 2 - List: 9, 8\nOutput: 8, 9",
    "Output:\n- a\n- b",
    "Of course!\nExample 1\nInput: a\nOutput 1: b\nInput 2: c\nOutput 2: d",
    "It depends.",
    "Example 1\nText: give an Example. please\nOutput: here\nExample 2\nno answer",
    "Examples\nOutput: a\nExample3.b",
    "Input: a\nOutput: a\nOutput: b",
    "Example 1\nInput: 2\nOutput: even\nExample 2\nInput: 3\nOutput: odd\nExample 3\nInput: 2\nOutput: odd",
    "Example 1\nOutput: b\nExample 2\nOutput: a\nExample 3\nOutput: b\nExample 4\nOutput: it is:\nExample 5\nfive:\n"
    "Output: 5",
    "Example 1\nInput: x\nOutput:\nExample 2\nInput: y\nOutput\u00a0\u0662 : z",
    "Example 1\nInput: a\nOutput: b\nExample 2",
    "Example 1\nInput: a\nOutput: b\nExample 2\nInput: c",
    "",
]

LABELS = [
    "Class label: odd\nNumber: 3\nClass label: even\nNumber: 4\n\nClass label: none",
    "Sure. Class label:\n positive\nI like it\nClass label: negative\nI like it",
    "positive",
    "The Class label: a\nx\nclass label: b\ny\nClass label: a\nx",
    "Class label: x\nx\nClass label:\nClass label: see below:\ny",
]


def main():
    cases = {"instructions": [], "alpaca": [], "instances": []}
    for finish_reason in ("stop", "length"):
        for reply in LISTS:
            read = [list(pair) for pair in read_instructions(reply, finish_reason)]
            cases["instructions"].append({"reply": reply, "finish_reason": finish_reason, "read": read})
        for reply in TASKS:
            kept, rules = read_alpaca(reply, finish_reason, 3)
            cases["alpaca"].append(
                {"reply": reply, "finish_reason": finish_reason, "shown": 3, "kept": kept, "rules": rules}
            )
        for classification, replies in ((False, EXAMPLES), (True, LABELS)):
            for reply in replies:
                read = read_instances(reply, finish_reason, classification)
                cases["instances"].append(
                    {
                        "reply": reply,
                        "finish_reason": finish_reason,
                        "classification": classification,
                        "read": read,
                        "left": filter_instances(read),
                    }
                )
    target = pathlib.Path(__file__).parents[1] / "resources/golden/generation-rules.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
