"""Golden runs of job generate: what Self-Instruct and Alpaca keep of a fixed set of replies.

Scores come from rouge_score itself; the rules are those of common/core's generation_rules.py, a transcription of the originals'.
The gate is the originals' loop: a candidate is compared with the seeds and with every one kept before it, and dropped above 0.7.
Replies and seeds are our own. Floating-point scores are written with repr, so that they are read back as they are.

Run:  pip install rouge-score==0.1.2 && python3 jobs/data/src/test/golden/generation_runs.py
writes jobs/data/src/test/resources/golden/generation-runs.json
"""

import importlib.util
import json
import pathlib

from rouge_score import rouge_scorer

HERE = pathlib.Path(__file__).resolve()
RULES_FILE = HERE.parents[5] / "common/core/src/test/golden/generation_rules.py"
spec = importlib.util.spec_from_file_location("generation_rules", RULES_FILE)
rules = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rules)

SCORER = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)

SEEDS = [
    "List three uses for an old bicycle tyre.",
    "Rewrite the sentence so that it sounds polite.",
    "Decide whether the review is positive or negative.",
    "Explain why the sky looks red at dusk.",
    "Name the capital of the given country.",
    "Sort the numbers from small to large.",
    "Write a limerick about a lost umbrella.",
    "Give the opposite of the word.",
]

ALPACA_REPLIES = [
    (
        " Suggest a name for a bakery that opens at night.\n4. Input:\n<noinput>\n4. Output:\nThe Midnight Crumb\n"
        "###\n5. Instruction: List three uses for an old bicycle tube.\n5. Input:\n<noinput>\n5. Output:\nSeal, strap, swing\n"
        "###\n6. Instruction: Draw a map of the old town.\n6. Input:\n<noinput>\n6. Output:\nA map\n"
        "###\n7. Instruction: Convert the price from dollars to cents.\n7. Input:\n$3.50\n7. Output:\n350 cents\n",
        "stop",
    ),
    (
        " Suggest a name for a bakery that opens at dawn.\n4. Input:\n<noinput>\n4. Output:\nFirst Loaf\n"
        "###\n5. Instruction: Too short.\n5. Input:\n<noinput>\n5. Output:\nYes\n"
        "###\n6. Instruction: Write a program that adds two numbers.\n6. Input:\n<noinput>\n6. Output:\nprint(1 + 2)\n"
        "###\n7. Instruction: Describe how a heat pump warms a house in winter.\n7. Input:\n<NOINPUT>\n7. Output:\nIt moves heat",
        "length",
    ),
    (
        " Describe how a heat pump cools a house in summer.\n4. Input:\n<noinput>\n4. Output:\nIt moves heat out.\n"
        "###\n6. Instruction: Count the vowels in the given word.\n6. Input:\nharbour\n6. Output:\n3\n"
        "###\n6. Instruction: Écrire une lettre de remerciement au voisin.\n6. Input:\n<noinput>\n6. Output:\nMerci\n"
        "###\n7. Instruction: (optional) Translate the proverb into plain words.\n7. Input:\nA stitch in time\n7. Output:\nAct early\n"
        "###\n8. Instruction: Count the consonants in the given word.\n8. Input:\nharbour\n8. Output:\n4\n",
        "stop",
    ),
]

SELF_INSTRUCT_REPLIES = [
    (
        " Suggest a gift for a friend who likes Paris.\n10. Explain why the sky looks red at dawn.\n11. Show the picture again and again.\n"
        "12. Classify the animal as a mammal or a bird.\n13. short one here",
        "stop",
    ),
    (
        " Classify the animal as a mammal or a fish.\n10. Plan a picnic for six people on a rainy day.\n"
        "11. Plan a picnic for six people on a sunny day.\n12. Write a program that prints a triangle.",
        "stop",
    ),
    (" Turn the list of facts into one paragraph.\n10. Invent a rule for a new card", "length"),
    (
        " Turn the list of facts into a table.\n10. Say what the proverb means in plain words.\n11. ¿Qué hora es en este momento?",
        "stop",
    ),
]

# By capitalised instruction: is it classification, and the reply that holds its instances.
SELF_INSTRUCT_ANSWERS = {
    "Suggest a gift for a friend who likes paris.": (" No", "Output: A small sketchbook", "stop"),
    "Classify the animal as a mammal or a bird.": (
        " Yes",
        "Class label: mammal\nA bat\nClass label: bird\nA wren\nClass label: bird\nA wren",
        "stop",
    ),
    "Plan a picnic for six people on a rainy day.": (
        "No",
        "Example 1\nInput: a park\nOutput: Bring a tarp\n\nExample 2\nInput: a park\nOutput: Stay at home",
        "stop",
    ),
    "Turn the list of facts into a table.": (
        " no",
        "Example 1\nFacts: one, two\nOutput: one | two\n\nExample 2\nFacts: three\nOutput: thr",
        "length",
    ),
    "Say what the proverb means in plain words.": (" Yes.", "Input: Haste makes waste\nOutput: Take your time", "stop"),
}


def gate(pool, instruction):
    """The members above 0.7 exclude; otherwise the scores of all members."""
    scores = [SCORER.score(instruction, member)["rougeL"].fmeasure for member in pool]
    return scores, max(scores) > 0.7


def alpaca():
    pool, kept, dropped = list(SEEDS), [], []
    for reply, reason in ALPACA_REPLIES:
        tasks, found = rules.read_alpaca(reply, reason, 3)
        dropped += [rule for rule in found if rule]
        for instruction, given, answer in tasks:
            scores, excluded = gate(pool, instruction)
            if excluded:
                dropped.append("rouge_l")
                continue
            kept.append({"instruction": instruction, "input": given, "output": answer, "max_similarity": max(scores)})
            pool.append(instruction)
    return kept, dropped


def self_instruct():
    pool, kept, dropped = list(SEEDS), [], []
    for reply, reason in SELF_INSTRUCT_REPLIES:
        for instruction, rule in rules.read_instructions(reply, reason):
            if rule:
                dropped.append(rule)
                continue
            scores, excluded = gate(pool, instruction)
            if excluded:
                dropped.append("rouge_l")
                continue
            pool.append(instruction)
            answer, raw, raw_reason = SELF_INSTRUCT_ANSWERS[instruction]
            classification = answer.strip() in {"Yes", "yes", "YES"}
            instances = rules.filter_instances(rules.read_instances(raw, raw_reason, classification))
            if not instances:
                dropped.append("no_instance")
                continue
            kept.append(
                {
                    "instruction": instruction,
                    "is_classification": classification,
                    "instances": instances,
                    "max_similarity": max(scores),
                }
            )
    return kept, dropped


def main():
    alpaca_kept, alpaca_dropped = alpaca()
    self_kept, self_dropped = self_instruct()
    golden = {
        "seeds": SEEDS,
        "alpaca": {"replies": ALPACA_REPLIES, "kept": alpaca_kept, "dropped": alpaca_dropped},
        "self_instruct": {
            "replies": SELF_INSTRUCT_REPLIES,
            "answers": SELF_INSTRUCT_ANSWERS,
            "kept": self_kept,
            "dropped": self_dropped,
        },
    }
    path = HERE.parents[1] / "resources/golden/generation-runs.json"
    path.write_text(json.dumps(golden, indent=1, ensure_ascii=True) + "\n")
    print(path, len(alpaca_kept), len(alpaca_dropped), len(self_kept), len(self_dropped))


if __name__ == "__main__":
    main()
