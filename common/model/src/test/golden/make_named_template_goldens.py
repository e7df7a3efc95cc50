"""Writes src/test/resources/golden/named-templates: lists of named chat templates as transformers
saves them, in the form of today and in the older one, and mixtures of both, with what transformers
reads out of each.

Run with transformers and tokenizers installed:
    python make_named_template_goldens.py
"""

import json
import pathlib
import shutil

from tokenizers import Tokenizer, models
from transformers import AutoTokenizer, PreTrainedTokenizerFast

OUT = pathlib.Path(__file__).parent.parent / "resources" / "golden" / "named-templates"
NAMED = {
    "default": "{% for m in messages %}<{{ m.role }}>{{ m.content }}{{ eos_token }}{% endfor %}",
    "tool_use": "{% for t in tools %}{{ t | tojson }}\n{% endfor %}{{ messages[-1].content }}",
    "rag": "{% for d in documents %}{{ d.text }} \u6cb3{% endfor %}{{ messages[-1].content }}",
}
OTHER = "{{ messages[0].content }}, otherwise"


def tokenizer(template):
    made = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE({"a": 0, "</s>": 1}, [])), eos_token="</s>")
    made.chat_template = template
    return made


def save(name, template, files=True, change=lambda folder: None):
    folder = OUT / name
    tokenizer(template).save_pretrained(folder, save_jinja_files=files)
    change(folder)
    read = AutoTokenizer.from_pretrained(folder).chat_template
    (folder / "tokenizer.json").unlink()
    return read if isinstance(read, dict) else {"default": read}


def beside(folder):
    """A list in tokenizer_config.json beside templates that are files."""
    config = folder / "tokenizer_config.json"
    settings = json.loads(config.read_text())
    settings["chat_template"] = [{"name": n, "template": OTHER} for n in ("default", "tool_use", "old")]
    config.write_text(json.dumps(settings, indent=2))


def without_default(folder):
    beside(folder)
    (folder / "chat_template.jinja").unlink()


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    read = {
        "files": save("files", NAMED),
        "list": save("list", NAMED, files=False),
        "one-file": save("one-file", NAMED["default"]),
        "one-text": save("one-text", NAMED["default"], files=False),
        "one-file-beside-a-list": save("one-file-beside-a-list", NAMED["default"], change=beside),
        "files-beside-a-list": save("files-beside-a-list", NAMED, change=beside),
        "files-without-default": save("files-without-default", NAMED, change=without_default),
    }
    (OUT / "read.json").write_text(json.dumps(read, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print({name: sorted(templates) for name, templates in read.items()})


if __name__ == "__main__":
    main()
