"""See benchmarks/serve/clients. Usage: clients.py openai ADDRESS | tasks LIMIT | compare"""
import glob
import json
import os
import random
import sys

WORDS = "the river town people found that a long road over hills was closed by snow and they waited for spring to come again".split()
wrong = 0


def check(name, holds, found=None):
    global wrong
    wrong += not holds
    print(("ok   " if holds else "FAIL ") + name + ("" if holds or found is None else f": {found!r}"[:400]))


def client(address):
    import asyncio

    import openai

    asked = openai.OpenAI(base_url=address, max_retries=0)
    hello = [{"role": "user", "content": "Say hello to a sailor."}]
    check("models", [model.id for model in asked.models.list()] == ["student"])
    plain = asked.chat.completions.create(model="student", messages=hello, max_tokens=40, temperature=0)
    said = plain.choices[0].message.content
    check("chat", len(said) > 0 and plain.usage.total_tokens == plain.usage.prompt_tokens + plain.usage.completion_tokens, plain)
    print("     " + said.replace("\n", " ")[:150])
    stream = asked.chat.completions.create(model="student", messages=hello, max_tokens=40, temperature=0, stream=True, stream_options={"include_usage": True})
    pieces, usage = [], None
    for chunk in stream:
        usage = chunk.usage or usage
        pieces += [choice.delta.content or "" for choice in chunk.choices]
    check("chat, streamed", "".join(pieces) == said and len(pieces) > 5, pieces)
    check("usage of a stream", usage == plain.usage, usage)
    with asked.chat.completions.stream(model="student", messages=hello, max_tokens=40, temperature=0) as events:
        final = events.get_final_completion()
    check("stream helper", final.choices[0].message.content == said, final)
    told = asked.chat.completions.create(model="student", messages=hello, max_tokens=8, temperature=0, logprobs=True, top_logprobs=3)
    tokens = told.choices[0].logprobs.content
    check("logprobs", len(tokens) == 8 and all(len(token.top_logprobs) == 3 and token.logprob <= 0 for token in tokens), tokens)
    several = asked.chat.completions.create(model="student", messages=hello, max_tokens=12, temperature=1, n=3, seed=5)
    again = asked.chat.completions.create(model="student", messages=hello, max_tokens=12, temperature=1, n=3, seed=5)
    texts = [choice.message.content for choice in several.choices]
    check("n and seed", len(set(texts)) == 3 and texts == [choice.message.content for choice in again.choices], texts)
    stop = said.split()[3]
    cut = asked.chat.completions.create(model="student", messages=hello, max_tokens=40, temperature=0, stop=[stop])
    check("stop", cut.choices[0].message.content == said[: said.index(stop)] and cut.choices[0].finish_reason == "stop", cut)
    text = asked.completions.create(model="student", prompt=["The sea is", "Rivers flow"], max_tokens=6, temperature=0, echo=True, logprobs=1)
    check("completions", [choice.text.startswith(prompt) for choice, prompt in zip(text.choices, ("The sea is", "Rivers flow"))] == [True, True], text)
    check("echoed logprobs", all(choice.logprobs.token_logprobs[0] is None and len(choice.logprobs.tokens) == len(choice.logprobs.text_offset)
                                 for choice in text.choices))
    pieces = asked.completions.create(model="student", prompt="The sea is", max_tokens=6, temperature=0, stream=True)
    check("completions, streamed", "".join(chunk.choices[0].text for chunk in pieces if chunk.choices) == text.choices[0].text[len("The sea is"):])

    schema = {"type": "object", "additionalProperties": False, "required": ["city", "rivers", "population"],
              "properties": {"city": {"type": "string", "maxLength": 20}, "population": {"type": "integer", "minimum": 1, "maximum": 50000000},
                             "rivers": {"type": "array", "items": {"enum": ["Seine", "Thames", "Danube"]}, "minItems": 1, "maxItems": 2}}}
    told = asked.chat.completions.create(model="student", messages=[{"role": "user", "content": "Tell of a town, as JSON."}], max_tokens=120, seed=3, n=4,
                                         response_format={"type": "json_schema", "json_schema": {"name": "town", "schema": schema, "strict": True}})
    towns = [json.loads(choice.message.content) for choice in told.choices if choice.finish_reason == "stop"]
    check("json_schema", len(towns) == 4 and all(
        set(town) == set(schema["required"]) and 1 <= town["population"] <= 50000000 and set(town["rivers"]) <= {"Seine", "Thames", "Danube"} for town in towns), told)
    print("     " + json.dumps(towns[0]) if towns else "")
    anything = asked.chat.completions.create(model="student", messages=hello, max_tokens=200, temperature=0, response_format={"type": "json_object"})
    check("json_object", anything.choices[0].finish_reason == "length" or isinstance(json.loads(anything.choices[0].message.content), dict), anything)

    for name, error, body in (("refused by name", openai.BadRequestError, {"extra_body": {"guided_regex": "a+"}}),
                              ("no such model", openai.NotFoundError, {"model": "gpt-4"}),
                              ("a keyword that is not honoured", openai.BadRequestError, {"response_format": {"type": "json_schema", "json_schema": {
                                  "name": "code", "schema": {"type": "string", "pattern": "^[a-z]+$"}}}})):
        try:
            asked.chat.completions.create(**{"model": "student", "messages": hello, "max_tokens": 2, **body})
            check(name, False)
        except error as e:
            check(name, bool(e.message), e)
    try:
        openai.OpenAI(base_url=address, api_key="other", max_retries=0).models.list()
        check("another key", False)
    except openai.AuthenticationError:
        check("another key", True)

    async def at_once():
        asking = openai.AsyncOpenAI(base_url=address, max_retries=0)
        answers = await asyncio.gather(*(asking.chat.completions.create(model="student", messages=hello, max_tokens=40, temperature=0) for _ in range(24)))
        return {answer.choices[0].message.content for answer in answers}

    check("24 at once say the same", asyncio.run(at_once()) == {said})


def tasks(limit):
    draw = random.Random(3)
    for folder in ("ours", "theirs"):
        os.makedirs(folder, exist_ok=True)
    with open("ours/items.jsonl", "w") as out:
        for i in range(limit):
            passage = " ".join(draw.choices(WORDS, k=draw.randint(30, 90)))
            choices = [" ".join(draw.choices(WORDS, k=draw.randint(2, 8))) for _ in range(4)]
            out.write(json.dumps({"id": f"i{i:04}", "passage": passage, "choices": choices, "label": draw.randrange(4)}) + "\n")
    with open("ours/bench.yaml", "w") as out:
        out.write('name: bench\ninput: items.jsonl\nprompt: "{passage}\\nAnswer:"\nchoices: choices\nanswer: "{label}"\nmetrics: [acc, acc_norm]\n')
    with open("theirs/bench.yaml", "w") as out:
        json.dump({"task": "bench", "dataset_path": "json", "dataset_kwargs": {"data_files": {"test": os.path.abspath("ours/items.jsonl")}}, "test_split": "test",
                   "output_type": "multiple_choice", "doc_to_text": "{{passage}}\nAnswer:", "doc_to_choice": "{{choices}}", "doc_to_target": "label",
                   "metric_list": [{"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")]}, out)


def summary(name):
    return json.loads(open(name + ".json").read().strip().splitlines()[-1])


def compare():
    import pyarrow.parquet as parquet

    def answers(run):
        rows = parquet.read_table(f"warehouse/completions/run_id={run}", partitioning=None).to_pylist()
        return {row["id"]: (row["text"], row["finish_reason"], row["prompt_tokens"]) for row in rows}

    direct, served = answers("direct"), answers("served")
    check(f"complete: {len(served)} answers over HTTP are those of --teacher student", direct == served and len(served) > 0,
          [key for key in direct if direct[key] != served.get(key)])
    ours = {each["metric"]: each["value"] for each in summary("ours")["results"]}
    found = json.load(open(glob.glob("lm-eval/**/results_*.json", recursive=True)[0]))["results"]["bench"]
    for metric in ("acc", "acc_norm"):
        check(f"lm_eval {metric} {found[metric + ',none']:.4f}, evaluate {ours[metric]:.4f}", abs(found[metric + ",none"] - ours[metric]) < 1e-9)
    theirs = {}
    for line in open(glob.glob("lm-eval/**/samples_*.jsonl", recursive=True)[0]):
        sample = json.loads(line)
        theirs[sample["doc"]["id"]] = [float(answer[0]) if isinstance(answer, list) else float(answer) for answer in sample["filtered_resps"]]
    rows = parquet.read_table("warehouse/evaluations/run_id=ours", partitioning=None).to_pylist()
    furthest = max(abs(a - b) for row in rows for a, b in zip(row["logprobs"], theirs[row["id"]], strict=True))
    check(f"log-probabilities of {len(theirs)} items' choices within {furthest:.1e}", furthest < 2e-3)
    ended = summary("serve")
    check("serve counted", ended["status"] == "done" and ended["figures"]["answered"] > 0, ended)
    print("     " + json.dumps(ended["figures"]))


what = sys.argv[1]
if what == "openai":
    client(sys.argv[2])
elif what == "tasks":
    tasks(int(sys.argv[2]))
else:
    compare()
sys.exit(1 if wrong else 0)
