"""Writes a synthetic ShareGPT file (one JSON array of HTML dialogues) or a synthetic Posts.xml.

    python3 generate.py sharegpt 2000 dialogues.json     # megabytes, output
    python3 generate.py posts 1000 Posts.xml

The text is drawn from a seeded generator: the same call writes the same bytes.
"""

import html
import json
import random
import sys

WORDS = (
    "the of and to in is that for with as was on are be this you have from or by an at not we can what "
    "how value list table function result water light stone river model data small large first second "
    "snake_case x*y caf\u00e9 list<int> 3.14"
).split()


def sentence(rng, least=6, most=24):
    return " ".join(rng.choices(WORDS, k=rng.randint(least, most))).capitalize() + "."


def code(rng):
    lines = [f"{'    ' * rng.randint(0, 3)}value_{rng.randint(0, 99)} = call({rng.randint(0, 9)})" for _ in range(rng.randint(3, 12))]
    return "\n".join(lines) + "\n"


def paragraphs(rng, page):
    parts = []
    for _ in range(rng.randint(2, 6)):
        kind = rng.random()
        if kind < 0.6:
            text = html.escape(" ".join(sentence(rng) for _ in range(rng.randint(1, 4))), quote=False)
            parts.append(f"<p>{text} <strong>{rng.choice(WORDS[:20])}</strong> <code>a_{rng.randint(0, 9)}</code></p>")
        elif kind < 0.8:
            items = "".join(f"<li><p>{html.escape(sentence(rng), quote=False)}</p></li>" for _ in range(rng.randint(2, 6)))
            parts.append(f"<ol>{items}</ol>")
        elif page:
            parts.append(
                '<pre><div class="bg-black mb-4 rounded-md"><div class="flex items-center"><span>python</span>'
                '<button class="flex ml-auto gap-2">Copy code</button></div><div class="p-4 overflow-y-auto">'
                f'<code class="!whitespace-pre hljs language-python">{html.escape(code(rng), quote=False)}</code></div></div></pre>'
            )
        else:
            parts.append(f"<pre><code>{html.escape(code(rng), quote=False)}</code></pre>")
    return "\n".join(parts)


def dialogues(rng, limit, out):
    out.write("[")
    written, number = 1, 0
    while written < limit:
        turns = []
        for _ in range(rng.randint(1, 8)):
            turns.append({"from": "human", "value": " ".join(sentence(rng) for _ in range(rng.randint(1, 3)))})
            turns.append({"from": "gpt", "value": '<div class="markdown prose w-full break-words dark:prose-invert light">' + paragraphs(rng, True) + "</div>"})
        text = (", " if number else "") + json.dumps({"id": f"{number:07d}", "conversations": turns})
        out.write(text)
        written += len(text)
        number += 1
    out.write("]")
    return number


def posts(rng, limit, out):
    out.write('\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n')
    written, post = 50, 0

    def row(attributes):
        nonlocal written
        values = " ".join(f'{name}="{html.escape(str(value)).replace(chr(10), "&#xA;")}"' for name, value in attributes.items())
        text = f"  <row {values} />\n"
        out.write(text)
        written += len(text)

    while written < limit:
        post += 1
        question, answers = post, rng.randint(0, 5)
        common = {"CreationDate": f"20{rng.randint(10, 23)}-0{rng.randint(1, 9)}-15T12:00:00.000", "OwnerUserId": rng.randint(1, 9999)}
        row({"Id": question, "PostTypeId": 1, "AcceptedAnswerId": question + 1, "Score": rng.randint(-2, 60), "Title": sentence(rng, 4, 9), "Body": paragraphs(rng, False), **common})
        for _ in range(answers):
            post += 1
            row({"Id": post, "PostTypeId": 2, "ParentId": question, "Score": rng.randint(-2, 60), "Body": paragraphs(rng, False), **common})
    out.write("</posts>")
    return post


kind, megabytes, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with open(path, "w", encoding="utf-8") as file:
    count = {"sharegpt": dialogues, "posts": posts}[kind](random.Random(7), megabytes * 1_000_000, file)
print(f"{count} {kind} in {path}")
