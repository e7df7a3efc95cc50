"""Writes src/test/resources/golden/template/begun.json: what transformers' continue_final_message
makes of answers' beginnings, by the templates of make_template_goldens.py.

Run with transformers and jinja2 installed:
    python make_begun_goldens.py
"""

import json

import make_template_goldens as templates

BEGINNINGS = [
    "The",
    "The ",
    " The river\n",
    "<think>\nhm",
    "<think>\nhm\n</think>\n\nThe",
    "<think>\nhm</think>The ",
    "The <b> & CONTINUE",
]


def begun(template, messages):
    try:
        text, _ = templates.chat.render_jinja_template(
            [messages],
            chat_template=template,
            continue_final_message=True,
            bos_token="<s>",
            eos_token="</s>",
        )
        return {"text": text[0]}
    except Exception as e:  # what transformers refuses must be refused
        return {"error": type(e).__name__}


def main():
    cases = []
    for name, template in templates.SHAPES.items():
        for beginning in BEGINNINGS:
            messages = [{"role": "user", "content": "Name a river."}, {"role": "assistant", "content": beginning}]
            cases.append({"template": name, "beginning": beginning} | begun(template, messages))
    with open(templates.OUT / "begun.json", "w", encoding="utf-8", newline="\n") as f:
        f.write("[\n" + ",\n".join(map(templates.line, cases)) + "\n]\n")
    print(len(cases), "beginnings,", sum("error" in c for c in cases), "refused")


if __name__ == "__main__":
    main()
