"""Makes src/test/resources/golden/evaluate: what lm-evaluation-harness says of a tiny model of common/model (golden/student).

    pip install lm_eval==0.4.13 sacrebleu torch transformers    # made with torch 2.15, transformers 5.24
    python make_evaluate_goldens.py

Writes the rows that both evaluate, and expected.json: of each task its figures, and of each item (by id) the log-probabilities of its
continuations and its metrics. Shots are the first of examples.jsonl, so that no draw is compared. The chat template is one whose header
ends in no white space: lm-evaluation-harness scores such white space as part of the answer.
"""
import json
import os
import tempfile

import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "resources", "golden", "evaluate")
MODEL = os.path.join(HERE, "..", "..", "..", "..", "..", "common", "model", "src", "test", "resources", "golden", "student")

CHAT = ("{% for message in messages %}{{ '[' + message['role'] + ']' + message['content'] }}{% endfor %}"
        "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}")
WORDS = [("The cat sat on the", ["mat.", "sea", "wide river"], 0), ("A river runs to the", ["cat", "sea", "the name of it"], 1),
         ("1, 2, 3 and", ["4", "4 make 10.", "the"], 0), ("What is the", ["é", "name", "東京 river"], 1),
         ("user system", ["assistant", "a"], 0), ("the sea is", ["wide", "wide.", "the cat", "10"], 0),
         ("The name of the cat", ["is", "sat", "on"], 2), ("Trailing space ", ["here", "there, too"], 0)]
EXAMPLES = [("The cat", ["sat", "sea"], 0), ("The river", ["mat", "runs"], 1)]
TEXTS = ["The cat sat on the mat.", "  A river runs to the sea; the sea is wide.\n\nWhat is the name of the river? " * 3,
         "naïve 東京 \U0001F600 " * 7, "a", "1, 2, 3 and 4 make 10. " * 12]
WRITTEN = [("The river", "runs to the sea, and"), ("1, 2,", "3 and 4"), ("What is", "the name. of the cat-house?"), ("The cat sat", "on")]
PAIRS = [("The {} sat on the mat.", ["cat", "sea"], 0), ("A {} runs to the sea", ["mat", "river"], 1), ("The {} is wide", ["sea", "name"], 0)]


def rows(name, made):
    path = os.path.join(OUT, name)
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        for i, row in enumerate(made):
            out.write(json.dumps({"id": f"i{i}", **row}, ensure_ascii=False) + "\n")
    return path


def choices(made):
    return [{"question": question, "choices": given, "label": label} for question, given, label in made]


def task(name, files, **config):
    return {"task": name, "dataset_path": "json", "dataset_kwargs": {"data_files": files}, "test_split": "test",
            "fewshot_split": "train" if "train" in files else None, **config}


def main():
    os.makedirs(OUT, exist_ok=True)
    items, examples = rows("items.jsonl", choices(WORDS)), rows("examples.jsonl", choices(EXAMPLES))
    texts = rows("texts.jsonl", [{"text": text} for text in TEXTS])
    written = rows("written.jsonl", [{"question": question, "answer": answer} for question, answer in WRITTEN])
    pairs = rows("pairs.jsonl", [{"before": text.split("{}")[0], "after": text.split("{}")[1].strip(), "options": given, "label": label}
                                 for text, given, label in PAIRS])
    metric = {"acc": "mean", "acc_norm": "mean", "acc_bytes": "mean", "acc_mutual_info": "mean"}
    multiple = dict(output_type="multiple_choice", doc_to_text="{{question}}", doc_to_choice="{{choices}}", doc_to_target="label",
                    fewshot_config={"sampler": "first_n"},
                    metric_list=[{"metric": name, "aggregation": how, "higher_is_better": True} for name, how in metric.items()])
    tasks = {
        "choices": task("choices", {"test": items}, **multiple),
        "choices-shots": task("choices-shots", {"test": items, "train": examples}, num_fewshot=2, **multiple),
        "choices-chat": task("choices-chat", {"test": items, "train": examples}, num_fewshot=1, **multiple),
        "pairs": task("pairs", {"test": pairs}, output_type="multiple_choice", doc_to_text="label",
                      doc_to_choice="{{[before + options[0], before + options[1]]}}", doc_to_target="{{after}}",
                      metric_list=[{"metric": "acc", "aggregation": "mean", "higher_is_better": True}]),
        "likelihood": task("likelihood", {"test": written}, output_type="loglikelihood", doc_to_text="{{question}}", doc_to_target="{{' ' + answer}}",
                           metric_list=[{"metric": "perplexity", "aggregation": "perplexity", "higher_is_better": False},
                                        {"metric": "acc", "aggregation": "mean", "higher_is_better": True}]),
        "texts": task("texts", {"test": texts}, output_type="loglikelihood_rolling", doc_to_text="", doc_to_target="{{text}}",
                      metric_list=[{"metric": name} for name in ("word_perplexity", "byte_perplexity", "bits_per_byte")]),
        "written": task("written", {"test": written}, output_type="generate_until", doc_to_text="{{question}}", doc_to_target="{{answer}}",
                        generation_kwargs={"until": ["\n"], "max_gen_toks": 12, "do_sample": False},
                        metric_list=[{"metric": "bleu", "aggregation": "bleu", "higher_is_better": True}]),
    }
    model = HFLM(pretrained=MODEL, dtype="float32", device="cpu", batch_size=1, max_length=64)
    model.tokenizer.chat_template = CHAT
    with open(os.path.join(OUT, "chat_template.jinja"), "w", encoding="utf-8", newline="\n") as out:
        out.write(CHAT)
    expected = {}
    for name, config in tasks.items():
        config = {key: value for key, value in config.items() if value is not None}
        chat = name.endswith("-chat")
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "task.yaml"), "w", encoding="utf-8") as out:
                json.dump(config, out)
            found = lm_eval.simple_evaluate(model, tasks=[name], task_manager=TaskManager(include_path=folder, include_defaults=False), log_samples=True,
                                            bootstrap_iters=0, apply_chat_template=chat, fewshot_as_multiturn=chat)
        results = {key.split(",")[0]: value for key, value in found["results"][name].items()
                   if isinstance(value, (int, float)) and "," in key}
        samples = {}
        for sample in found["samples"][name]:
            answers = sample["resps"]
            each = {"prompt": sample["arguments"][0][0], "target": sample["target"]}
            if name == "written":
                each["answer"] = answers[0][0]
            elif name == "texts":
                each["logprobs"] = [float(answers[0][0] if not isinstance(answers[0][0], (list, tuple)) else answers[0][0][0])]
            else:
                each["logprobs"] = [float(answer[0][0]) for answer in answers]
            for key in ("acc", "acc_norm", "acc_bytes", "acc_mutual_info"):
                if key in sample:
                    each[key] = float(sample[key])
            samples[sample["doc"]["id"]] = each
        expected[name] = {"results": results, "samples": samples}
    with open(os.path.join(OUT, "expected.json"), "w", encoding="utf-8", newline="\n") as out:
        json.dump(expected, out, ensure_ascii=False, indent=1, sort_keys=True)
        out.write("\n")


main()
