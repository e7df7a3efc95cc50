"""Writes src/test/resources/golden/tasks.json: how lm-evaluation-harness shows rows of the suite that LLaMA was measured by.

    pip install lm_eval==0.4.13
    python make_task_goldens.py

The rows are our own, in the columns of the data sets on Hugging Face. Of each task: the rows, and of each of them what the model is asked (context
and continuation, or context alone where it writes) without a shot and behind two shots, and what is right.
"""
import json
import os
import tempfile

import lm_eval.tasks
from lm_eval.api.task import ConfigurableTask
from lm_eval.tasks._yaml_loader import load_yaml

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "resources", "golden", "tasks.json")
TASKS = os.path.dirname(lm_eval.tasks.__file__)


def arc(question, texts, labels, key, stem="question"):
    return {"id": key + question[:3], stem: question, "choices": {"text": texts, "label": labels}, "answerKey": key}


SCIENCE = [("Which of these is hot?", ["ice", "a flame", "snow", "rain"], list("ABCD"), "B"),
           ("What do plants need?", ["light", "sugar", "1"], list("123"), "1"),
           ("  Where do fish live? ", ["in trees", "in the sea ", "in 3", "underground", "on roofs"], list("ABCDE"), "B"),
           ("What falls?", ["apples", "smoke"], list("AB"), "A"), ("What is {round}?", ["a ball", "a box", "a brick"], list("123"), "3")]
ROWS = {
    "boolq": ("super_glue/boolq/default.yaml", [
        {"question": f"is {what} cold", "passage": f"{what.title()} is {how}.\nSo they say.", "idx": i, "label": i % 2}
        for i, (what, how) in enumerate([("fire", "hot"), ("ice", "cold"), ("the sun", "not cold, but 'hot'"), ("snow", "white"), ("tea", "$1 \\ cup")])]),
    "piqa": ("piqa/piqa.yaml", [
        {"goal": goal, "sol1": one, "sol2": two, "label": label}
        for goal, one, two, label in [("dry a cup", "Wipe it.", "Fill it.", 0), ("cool soup", "Boil it.", "Blow on it.", 1),
                                      ("open {a} jar", "Turn the lid; 50% is enough.", "Shake it ", 0), ("find north", "Ask a cat.", "Use a compass.", 1),
                                      ("", "Yes.", "No.", 1)]]),
    "hellaswag": ("hellaswag/hellaswag.yaml", [
        {"ind": i, "activity_label": label, "ctx_a": a, "ctx_b": b, "ctx": f"{a} {b}", "endings": ends, "label": str(gold), "split_type": "indomain"}
        for i, (label, a, b, ends, gold) in enumerate([
            ("Baking", "A man opens the oven.", "he", ["takes out  a cake.", " [substeps] sits down. [title] Rest", "[step]] sings.", "closes [it."], 0),
            ("Health", "[header] How to sleep well [title] Go to bed early. [step] Your body needs REST.", "", ["Drink tea.", "Run.", "Shout [loud [very] louder].", "Eat."], 0),
            ("Sailing", " Two boats are seen.", "the BLUE one of Élise", ["turns.", "sinks. ", "[a] [b] flies.", "3"], 2),
            ("Chess", "A girl moves a pawn.", "Her friend", ["laughs.", "cries.", "sleeps.", "wins [title]"], 3),
            ("Shaving", "A man   stands [title]", "then  he", ["a.", "b.", "c.", "d."], 1)])]),
    "winogrande": ("winogrande/default.yaml", [
        {"sentence": text, "option1": one, "option2": two, "answer": answer}
        for text, one, two, answer in [("The cup was on the table, so _ was safe.", "the cup", "the table", "1"), ("Ann thanked Eva because _ had helped her.", "Ann", "Eva", "2"),
                                       ("_ rose early, as the old _ had not.", "Tom", "Max", "2"), ("Jo likes tea and Al likes milk, so the kettle is for _ .", "Jo", "Al", "1"),
                                       ("Bob lost to Lee since _ was slower.", "Bob", "Lee", "1")]]),
    "arc-easy": ("arc/arc_easy.yaml", [arc(*row) for row in SCIENCE]),
    "arc-challenge": ("arc/arc_challenge.yaml", [arc(*row) for row in reversed(SCIENCE)]),
    "openbookqa": ("openbookqa/openbookqa.yaml", [arc(*row, stem="question_stem") for row in SCIENCE]),
    "natural-questions": ("nq_open/nq_open.yaml", [
        {"question": question, "answer": answers}
        for question, answers in [("who drew the map", ["Ada", "Ada B."]), ("when was the first \"race\" held", ["1907"]), ("where is the hill", ["in Kent, England"]),
                                  ("what is {it}", ["a cat's toy", "toy"]), ("how many", ["7", "seven"])]]),
    "triviaqa": ("triviaqa/default.yaml", [
        {"question": question, "question_id": f"q{i}", "answer": {"value": aliases[0], "aliases": aliases, "normalized_aliases": [a.lower() for a in aliases]}}
        for i, (question, aliases) in enumerate([("Who drew the map", ["Ada", "Ada B."]), ("Which year had the race", ["1907"]), ("Where is the \"hill\"", ["Kent", "Kent, England"]),
                                                 ("What is it", ["A cat's toy", "Toy"]), ("How many", ["7", "Seven"])])]),
}


def asked(task, doc, shots):
    made = task.construct_requests(doc, task.fewshot_context(doc, shots), metadata=("", 0, 1))
    made = made if isinstance(made, list) else [made]
    return [[one.args[0], one.args[1] if isinstance(one.args[1], str) else None] for one in made]


def main():
    golden = {}
    for name, (path, rows) in ROWS.items():
        config = load_yaml(os.path.join(TASKS, path))
        for key in ("dataset_path", "dataset_name", "dataset_kwargs", "training_split", "validation_split", "test_split", "fewshot_split", "tag"):
            config.pop(key, None)
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for split, some in (("test", rows[:3]), ("train", rows[3:])):
                files[split] = os.path.join(folder, split + ".jsonl")
                with open(files[split], "w", encoding="utf-8") as out:
                    out.writelines(json.dumps(row) + "\n" for row in some)
            task = ConfigurableTask(config={**config, "dataset_path": "json", "dataset_kwargs": {"data_files": files}, "test_split": "test",
                                            "fewshot_split": "train", "fewshot_config": {"sampler": "first_n"}})
            docs = []
            for row, doc in zip(rows, task.eval_docs):
                right = task.doc_to_text(doc) if task.multiple_input else task.doc_to_target(doc)
                docs.append({"row": row, "zero": asked(task, doc, 0), "two": asked(task, doc, 2), "right": right})
        golden[name] = {"shots": rows[3:], "stop": config.get("generation_kwargs", {}).get("until", []), "docs": docs}
    with open(OUT, "w", encoding="utf-8", newline="\n") as out:
        json.dump(golden, out, ensure_ascii=False, indent=1)
        out.write("\n")


main()
