"""Updates of PPO in plain PyTorch over transformers and peft, batches padded as TRL padded them: prints seconds by part, and tokens of the answers,
as JSON. Arguments: MODEL PROMPTS UPDATES ANSWERS EPOCHS MINI MICRO SHORTEST LONGEST THREADS. The arithmetic is that of
common/model/src/test/golden/make_ppo_goldens.py."""
import json
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, path = sys.argv[1:3]
updates, answers, epochs, mini, micro, shortest, longest, threads = map(int, sys.argv[3:])
torch.set_num_threads(threads)
torch.manual_seed(1)
draw = torch.Generator().manual_seed(2)
tokenizer = AutoTokenizer.from_pretrained(folder)
tokenizer.padding_side = "left"
pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
end = tokenizer.eos_token_id
policy = get_peft_model(
    AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32),
    LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"))
head = torch.nn.Linear(policy.config.hidden_size, 1)
parameters = [p for p in policy.parameters() if p.requires_grad] + list(head.parameters())
optimizer = torch.optim.AdamW(parameters, lr=1e-5, weight_decay=0.0)
texts = [json.loads(line)["text"] for line in open(path)]
encoded = [tokenizer(text)["input_ids"] for text in texts]


def say(rows, values=True):
    """Log-probabilities, entropies and values of answers in a batch padded at its end, with their mask."""
    width = max(len(p) + len(a) for p, a in rows)
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    told = torch.zeros((len(rows), width - 1), dtype=torch.bool)
    for i, (prompt, answer) in enumerate(rows):
        row = torch.tensor(prompt + answer)
        ids[i, :len(row)] = row
        mask[i, :len(row)] = 1
        told[i, len(prompt) - 1:len(row) - 1] = True
    out = policy(input_ids=ids, attention_mask=mask, output_hidden_states=values)
    logs = torch.log_softmax(out.logits[:, :-1], -1)
    chosen = logs.gather(-1, ids[:, 1:, None])[..., 0]
    entropy = -(logs.exp() * logs).sum(-1)
    value = head(out.hidden_states[-1][:, :-1])[..., 0] if values else torch.zeros_like(chosen)
    return chosen[told], entropy[told], value[told]


seconds = {"rollout": 0.0, "recomputation": 0.0, "update": 0.0}
tokens = 0
for update in range(updates):
    prompts = encoded[update * answers:(update + 1) * answers]
    lengths = torch.randint(shortest, longest, (answers,), generator=draw).tolist()
    started = time.monotonic()
    policy.eval()
    with torch.no_grad():
        batch = tokenizer.pad({"input_ids": prompts}, return_tensors="pt")
        made = policy.generate(**batch, max_new_tokens=max(lengths), do_sample=True, top_k=0, top_p=1.0, temperature=1.0, pad_token_id=pad)
    width = batch["input_ids"].shape[1]
    rows = []
    for i in range(answers):
        answer = made[i, width:width + lengths[i]].tolist()
        if end in answer:
            answer = answer[:answer.index(end) + 1]
        rows.append((prompts[i], answer))
    tokens += sum(len(answer) for _, answer in rows)
    sampled = time.monotonic()
    seconds["rollout"] += sampled - started
    policy.train()
    old, values, reference = [], [], []
    with torch.no_grad():
        for start in range(0, answers, micro):
            some = rows[start:start + micro]
            sizes = [len(answer) for _, answer in some]
            chosen, _, value = say(some)
            old += chosen.split(sizes)
            values += value.split(sizes)
            with policy.disable_adapter():
                reference += say(some, values=False)[0].split(sizes)
    said = time.monotonic()
    seconds["recomputation"] += said - sampled
    advantages, returns = [], []
    for i, (_, answer) in enumerate(rows):
        reward = -0.2 * (old[i] - reference[i])
        reward[-1] += 0.1 * tokenizer.decode(answer).count("e")
        advantage, last = torch.zeros(len(answer)), 0.0
        for t in reversed(range(len(answer))):
            following = values[i][t + 1] if t + 1 < len(answer) else 0.0
            last = reward[t] + following - values[i][t] + 0.95 * last
            advantage[t] = last
        advantages.append(advantage)
        returns.append(advantage + values[i])
    flat = torch.cat(advantages)
    white = [(a - flat.mean()) / torch.sqrt(flat.var() + 1e-8) for a in advantages]
    for _ in range(epochs):
        order = torch.randperm(answers).tolist()
        for start in range(0, answers, mini):
            chosen = order[start:start + mini]
            count = sum(len(rows[i][1]) for i in chosen)
            optimizer.zero_grad()
            for at in range(0, len(chosen), micro):
                some = chosen[at:at + micro]
                new, _, value = say([rows[i] for i in some])
                before, advantage, target, held = (torch.cat([arrays[i] for i in some]) for arrays in (old, white, returns, values))
                ratio = torch.exp(new - before)
                loss = torch.max(-advantage * ratio, -advantage * torch.clamp(ratio, 0.8, 1.2)).sum()
                near = torch.clamp(value, held - 0.2, held + 0.2)
                loss = loss + 0.1 * 0.5 * torch.max((value - target) ** 2, (near - target) ** 2).sum()
                (loss / count).backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
    seconds["update"] += time.monotonic() - said
print(json.dumps({**seconds, "tokens": tokens}))
