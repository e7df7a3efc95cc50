"""Makes src/test/resources/golden/training/ppo.npz and ppo-value-network.npz: one update of PPO, every array and metric of it, in plain torch.

    pip install torch transformers numpy    # made with torch 2.15, transformers 5.24
    python make_ppo_goldens.py

The formulas are those of Ziegler et al. 2019 and of TRL 0.7 (core.py, ppo_trainer.py), written out here: TRL has no PPO
any more. The policy is make_decoder_goldens.py's llama-gqa31-tied with a value head, the reference the same with noise. The second file's values are
those of a network of its own instead, the policy's body with other noise under a score head with a bias; it has an optimiser and a norm of its own.
Two epochs of two mini-batches; arrays over tokens have the answers one after the other.
"""
import os

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))
DECODERS = os.path.join(HERE, "..", "resources", "golden", "decoder")
OUT = os.path.join(HERE, "..", "resources", "golden", "training")
VOCAB, ANSWERS, MINI_BATCH, EPOCHS = 67, 8, 4, 2
TEMPERATURE, BETA, GAMMA, LAMBDA, CLIP, VALUE_CLIP, VF, ENTROPY = 0.7, 0.1, 1.0, 0.95, 0.2, 0.2, 0.1, 0.01
SCORE_CLIP, PENALTY, TARGET, HORIZON, RATE = 2.0, 1.0, 6.0, 10000, 5e-3
torch.set_num_threads(1)


def model():
    config = LlamaConfig(vocab_size=VOCAB, hidden_size=24, intermediate_size=40, num_hidden_layers=2,
                         num_attention_heads=3, num_key_value_heads=1, max_position_embeddings=128, rms_norm_eps=1e-5,
                         tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, pad_token_id=0,
                         attn_implementation="eager",
                         rope_parameters={"rope_type": "default", "rope_theta": 100000.0})
    made = LlamaForCausalLM(config)
    weights = np.load(os.path.join(DECODERS, "llama-gqa31-tied.npz"))
    with torch.no_grad():
        for key, parameter in made.named_parameters():
            parameter.copy_(torch.tensor(weights["w/" + key]))
    return made


def say(policy, critic, head, prompt, answer):
    """Log-probabilities, entropies and values of an answer's tokens, each at the token before it."""
    ids = torch.tensor(np.concatenate([prompt, answer])[None])
    hidden = policy.model(ids).last_hidden_state[0]
    at = slice(len(prompt) - 1, len(ids[0]) - 1)
    logits = policy.lm_head(hidden[at]) / TEMPERATURE
    logs = torch.log_softmax(logits, -1)
    chosen = logs.gather(-1, torch.tensor(answer)[:, None])[:, 0]
    entropy = -(logs.exp() * logs).sum(-1)
    states = hidden if critic is policy else critic.model(ids).last_hidden_state[0]
    values = head(states[at])[:, 0] if head is not None else torch.zeros(len(answer))
    return chosen, entropy, values


def gae(rewards, values):
    advantages, last = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        following = values[t + 1] if t + 1 < len(values) else 0.0
        last = rewards[t] + GAMMA * following - values[t] + GAMMA * LAMBDA * last
        advantages[t] = last
    return advantages


def update(name, network):
    random = np.random.default_rng(11)
    torch.manual_seed(11)
    policy, reference = model(), model()
    head = torch.nn.Linear(24, 1)
    out = {"value_weight": head.weight.detach().numpy().copy(), "value_bias": head.bias.detach().numpy().copy()}
    with torch.no_grad():
        for key, parameter in reference.named_parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
            out["ref/" + key] = parameter.numpy().copy()
    prompts = [random.integers(4, VOCAB, random.integers(3, 8)) for _ in range(ANSWERS)]
    answers = [random.integers(3, VOCAB, random.integers(2, 7)) for _ in range(ANSWERS)]
    ended = random.random(ANSWERS) < 0.7
    for answer, end in zip(answers, ended):
        if end:
            answer[-1] = 2
    scores = random.normal(0, 1.5, ANSWERS)
    critic = model() if network else policy
    if network:
        with torch.no_grad():
            head.bias.fill_(0.25)
            for key, parameter in critic.named_parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
                out["value/" + key] = parameter.numpy().copy()
        out["value_bias"] = head.bias.detach().numpy().copy()
    out.update(prompts=np.concatenate(prompts), prompt_lengths=[len(p) for p in prompts],
               answers=np.concatenate(answers), answer_lengths=[len(a) for a in answers],
               ended=ended.astype(np.int64), scores=scores)

    with torch.no_grad():
        said = [say(policy, critic, head, p, a) for p, a in zip(prompts, answers)]
        said_ref = [say(reference, reference, None, p, a)[0] for p, a in zip(prompts, answers)]
    old = [s[0].double().numpy() for s in said]
    values = [s[2].double().numpy() for s in said]
    ref = [s.double().numpy() for s in said_ref]
    kl = [o - r for o, r in zip(old, ref)]
    learned = np.where(ended, np.clip(scores, -SCORE_CLIP, SCORE_CLIP), -PENALTY)
    rewards = []
    for k, score in zip(kl, learned):
        reward = -BETA * k
        reward[-1] += score
        rewards.append(reward)
    advantages = [gae(r, v) for r, v in zip(rewards, values)]
    returns = [a + v for a, v in zip(advantages, values)]
    flat = np.concatenate(advantages)
    white = [(a - flat.mean()) / np.sqrt(flat.var(ddof=1) + 1e-8) for a in advantages]
    total_kl = np.mean([k.sum() for k in kl])
    out.update(old=np.concatenate(old), entropies=np.concatenate([s[1].double().numpy() for s in said]),
               values=np.concatenate(values), ref_logprobs=np.concatenate(ref), kl=np.concatenate(kl),
               rewards=np.concatenate(rewards), advantages=flat, returns=np.concatenate(returns),
               whitened=np.concatenate(white), learned_scores=learned, mean_kl=total_kl,
               next_beta=BETA * (1 + np.clip(total_kl / TARGET - 1, -0.2, 0.2) * ANSWERS / HORIZON))

    groups = {"grad_norm": list(policy.parameters()) + ([] if network else list(head.parameters()))}
    if network:
        groups["ppo/val/grad_norm"] = list(critic.model.parameters()) + list(head.parameters())
    optimizers = [torch.optim.AdamW(group, lr=RATE, eps=1e-5, weight_decay=0.0) for group in groups.values()]
    orders, metrics = [], {}
    for _ in range(EPOCHS):
        order = random.permutation(ANSWERS)
        orders.append(order)
        for start in range(0, ANSWERS, MINI_BATCH):
            chosen = order[start:start + MINI_BATCH]
            now = [say(policy, critic, head, prompts[i], answers[i]) for i in chosen]
            new, entropy, value = (torch.cat([n[j] for n in now]) for j in range(3))
            join = lambda arrays: torch.tensor(np.concatenate([arrays[i] for i in chosen])).float()
            before, advantage, target, value_before = join(old), join(white), join(returns), join(values)
            ratio = torch.exp(new - before)
            plain, held = -advantage * ratio, -advantage * torch.clamp(ratio, 1 - CLIP, 1 + CLIP)
            policy_loss = torch.max(plain, held).mean()
            near = torch.clamp(value, value_before - VALUE_CLIP, value_before + VALUE_CLIP)
            errors, errors_near = (value - target) ** 2, (near - target) ** 2
            value_loss = 0.5 * torch.max(errors, errors_near).mean()
            loss = policy_loss + VF * value_loss - ENTROPY * entropy.mean()
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            norms = {key: torch.nn.utils.clip_grad_norm_(group, 1.0) for key, group in groups.items()}
            for optimizer in optimizers:
                optimizer.step()
            step = {"loss": loss, "ppo/loss/policy": policy_loss, "ppo/loss/value": value_loss,
                    "ppo/policy/entropy": entropy.mean(), "ppo/policy/approxkl": 0.5 * ((new - before) ** 2).mean(),
                    "ppo/policy/policykl": (before - new).mean(),
                    "ppo/policy/clipfrac": (held > plain).float().mean(), "ppo/policy/ratio": ratio.mean(),
                    "ppo/val/vpred": value.mean(), "ppo/val/error": errors.mean(),
                    "ppo/val/clipfrac": (errors_near > errors).float().mean(), **norms}
            for key, figure in step.items():
                metrics.setdefault(key, []).append(float(figure.detach()))
    out["orders"] = np.concatenate(orders)
    for key, figures in metrics.items():
        out["m/" + key.replace("/", ".")] = np.array(figures)
    with torch.no_grad():
        after = [say(policy, critic, head, p, a) for p, a in zip(prompts, answers)]
    out["after"] = np.concatenate([s[0].double().numpy() for s in after])
    out["after_values"] = np.concatenate([s[2].double().numpy() for s in after])
    np.savez_compressed(os.path.join(OUT, name + ".npz"), **out)
    print({key: np.round(figures, 4).tolist() for key, figures in metrics.items()})


if __name__ == "__main__":
    update("ppo", network=False)
    update("ppo-value-network", network=True)
