"""Writes what FastChat's own cleaning makes of dialogues: the goldens of the reader of ShareGPT.

    python3 -m venv venv
    venv/bin/pip install --no-deps fschat==0.2.36
    venv/bin/pip install beautifulsoup4 markdownify==0.11.6 tqdm
    venv/bin/python datasets/src/test/golden/sharegpt_fastchat.py [folder of public files]

sharegpt-dialogues.json holds dialogues of our own, in the HTML of ChatGPT's page, with the code that
FastChat gives each (0 kept, 1 too short, 2 wrong roles, 3 blocked words) and the cleaned turns.
sharegpt-files.json holds no text: for each dialogue of public files that may lie beside the
repository, FastChat's code and a SHA-256 over the cleaned turns.
"""

import copy
import hashlib
import json
import pathlib
import sys

from fastchat.data.clean_sharegpt import clean_html_one_sample

RESOURCES = pathlib.Path(__file__).resolve().parents[1] / "resources/golden"

PAGE = '<div class="markdown prose w-full break-words dark:prose-invert light">{}</div>'


def code(language, text):
    return (
        '<pre><div class="bg-black mb-4 rounded-md"><div class="flex items-center">'
        f"<span>{language}</span><button class=\"flex ml-auto gap-2\">Copy code</button></div>"
        f'<div class="p-4 overflow-y-auto"><code class="!whitespace-pre hljs language-{language}">'
        f"{text}</code></div></div></pre>"
    )


def talk(*values, **more):
    roles = ["human", "gpt"]
    turns = [{"from": roles[i % 2], "value": value} for i, value in enumerate(values)]
    return {"conversations": turns, **more}


SPAN = '<span class="hljs-keyword">{}</span>'

DIALOGUES = [
    talk("Name a colour of the sky.", PAGE.format("<p>The sky is <strong>blue</strong> by day.</p>")),
    talk(
        "Write a function that adds.",
        PAGE.format(
            "<p>Here it is:</p>"
            + code(
                "python",
                SPAN.format("def")
                + " add_two(a, b):\n    "
                + SPAN.format("return")
                + " a * 1 + b\n\n"
                + SPAN.format("print")
                + "(add_two(1, 2))\n",
            )
            + "<p>It uses <code>add_two</code>.</p>"
        ),
        "And in C?",
        PAGE.format(code("c", "int add_two(int a, int b) {\n\treturn a + b;\n}\n") + code("", "x &lt; y\n")),
    ),
    talk(
        "List three fruits, then two of each in a table",
        PAGE.format(
            "<ol><li><p>Apple</p></li><li><p>Pear</p><ul><li>green</li><li>ripe<ul><li>soft</li></ul>"
            "</li></ul></li><li>Plum</li></ol><table><thead><tr><th>Fruit</th><th>Kind</th></tr></thead>"
            "<tbody><tr><td>Apple</td><td>Red_one</td></tr></tbody></table>"
        ),
    ),
    talk("2 / 3", PAGE.format("<h2>About</h2><p>Two thirds are 0.67.</p><blockquote><p>so</p></blockquote>")),
    talk("1 / 2Which is it? snake_case *stars*  two  blanks", "1 / 1" + PAGE.format("<p>It is the first.</p>")),
    talk("Count it", PAGE.format("<p>Some words here.</p>") + "Copy12 chars / 3 words"),
    talk("An empty block", "Look:\n```\nCopy code\n```\nand ```bashCopy code ls -l\n\n``` done, ok?"),
    talk("Two buttons", "```\npythonCopy codeCopy codeprint(1)\n\n```\ntext ``` a ``` more Copy code end"),
    talk("Lines\n\n\n\nand\n\n\nlines", "One\n\n\n\n\n\ntwo\n\n\nthree"),
    talk("Only a question"),
    talk("Hi", "Yo"),
    talk("What is ChatGPT?", "A program."),
    talk("What is at https://chat.OpenAI.com/x ?", "A page of some sort."),
    talk("First question here", "First answer here", "", "Second answer here"),
    talk("First question here", "First answer here", "Second question", "", "Third", "Answer three"),
    talk("Ends with a question", "An answer of some length", "Another question"),
    talk("\u200bhidden start of a question", "An answer that nobody sees"),
    talk("\u00a0 spaced \u00a0", PAGE.format("<p>\u00a0An answer with no-break spaces\u00a0</p>")),
    {"conversations": [{"from": "gpt", "value": "Hello there"}] + talk("A question", "An answer of length")["conversations"]},
    {"conversations": [{"from": "human", "value": "a"}, {"from": "human", "value": "b"}, {"from": "gpt", "value": "c"}]},
    {"conversations": [{"from": "system", "value": "Be kind"}] + talk("Who is kind?", "Everybody should be.")["conversations"]},
    talk("Entities &amp; tags <b>in</b> a question <T>", PAGE.format("<p>a &lt; b &amp;&amp; c &gt; d &copy; &#39;x&#39; caf\u00e9</p>")),
    talk("Link?", PAGE.format('<p>See <a href="https://example.org/a_b" target="_new">https://example.org/a_b</a> or <a href="/x">this</a>.</p><hr><p>Line<br>break</p>')),
    talk("Div <div\nnot closed on its line> and <span>x</span>", "A fine answer, long enough <div> ok"),
    talk("\u4f60\u597d\uff0c\u8bf7\u95ee\u5929\u7a7a\u662f\u4ec0\u4e48\u989c\u8272\uff1f", PAGE.format("<p>\u5929\u7a7a\u662f<em>\u84dd\u8272</em>\u7684\uff0c\u5341\u516d\u4e2a\u5b57\u7b26\u4ee5\u4e0a\u3002</p>")),
]


def cleaned(sample):
    sample, status = clean_html_one_sample(copy.deepcopy(sample))
    turns = [[turn["from"], turn["value"]] for turn in sample["conversations"]] if status == 0 else []
    return status, turns


def dialogues():
    goldens = []
    for number, sample in enumerate(DIALOGUES):
        sample = {"id": f"own-{number}", **sample}
        status, turns = cleaned(sample)
        goldens.append({"sample": sample, "code": status, "turns": turns})
    return goldens


def files(folder):
    goldens = {}
    for name in (
        "fastchat_dummy_conversation.json",
        "dialogstudio_original.json",
        "mnbvc_vicuna_sample_230629.json",
        "ronsor_card_html_1row.json",
    ):
        rows = []
        for sample in json.loads((folder / name).read_text(encoding="utf-8")):
            status, turns = cleaned(sample)
            text = "\0".join(role + "\0" + value for role, value in turns)
            rows.append(f"{status} {hashlib.sha256(text.encode()).hexdigest()[:32]}")
        goldens[name] = rows
    return goldens


def write(name, value):
    RESOURCES.mkdir(parents=True, exist_ok=True)
    text = json.dumps(value, indent=0, ensure_ascii=True)
    (RESOURCES / name).write_text(text + "\n", encoding="ascii")
    print(f"{len(value)} entries to {RESOURCES / name}")


write("sharegpt-dialogues.json", dialogues())
if len(sys.argv) > 1:
    write("sharegpt-files.json", files(pathlib.Path(sys.argv[1])))
