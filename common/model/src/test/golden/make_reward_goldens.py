"""Makes src/test/resources/golden/training/reward-*.npz: what TRL's RewardTrainer logs over 30 steps, and K-way ranking in torch.

    pip install torch transformers trl numpy    # made with torch 2.15, transformers 5.24, trl 1.16
    python make_reward_goldens.py

The model is llama-gqa31-tied of make_decoder_goldens.py with a score head; its weights are read from golden/decoder. A file
holds the head's weights (score), and step by step the sequences as the trainer was given them: ids (all joined), lengths,
counts (sequences in each micro-batch), better and other (indices of each pair's sequences in their micro-batch), pairs (how
many there are in each micro-batch), margins; and loss, grad_norm, accuracy, margin, mean_reward, min_reward and max_reward as logged.
"""
import os
import tempfile

import numpy as np
import torch
import torch.nn.functional as F
from datasets import Dataset
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import LlamaConfig, LlamaForSequenceClassification, PreTrainedTokenizerFast, get_cosine_schedule_with_warmup
from trl import RewardConfig, RewardTrainer

HERE = os.path.dirname(os.path.abspath(__file__))
DECODERS = os.path.join(HERE, "..", "resources", "golden", "decoder")
OUT = os.path.join(HERE, "..", "resources", "golden", "training")
VOCAB, STEPS, ACCUMULATION, PAIRS = 67, 30, 2, 2
torch.set_num_threads(1)


def model():
    config = LlamaConfig(vocab_size=VOCAB, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
                         num_key_value_heads=1, max_position_embeddings=128, rms_norm_eps=1e-5, tie_word_embeddings=True,
                         bos_token_id=1, eos_token_id=2, pad_token_id=0, attn_implementation="eager", num_labels=1,
                         rope_parameters={"rope_type": "default", "rope_theta": 100000.0})
    made = LlamaForSequenceClassification(config)
    weights = np.load(os.path.join(DECODERS, "llama-gqa31-tied.npz"))
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for key, parameter in made.named_parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator) if key == "score.weight"
                            else torch.tensor(weights["w/" + key]))
    return made


def tokenizer():
    words = {f"w{i}": i for i in range(VOCAB)}
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer(WordLevel(words, unk_token="w3")), pad_token="w0",
                                   bos_token="w1", eos_token="w2", unk_token="w3")


def answers(generator, count):
    """Answers to one prompt, better ones first: the more of the prompt's tokens an answer has, the better it is."""
    prompt = generator.integers(4, VOCAB, generator.integers(3, 8))
    made = []
    for k in range(count):
        own = generator.integers(4, VOCAB, generator.integers(2, 7))
        own[: len(own) * (count - 1 - k) // max(1, count - 1)] = prompt[0]
        made.append(np.concatenate([prompt, own, [2]]))
    return made


class Recorder:
    """What went into each micro-batch, as sequences."""

    def __init__(self):
        self.ids, self.lengths, self.counts, self.pairs, self.better, self.other, self.margins = ([] for _ in range(7))

    def batch(self, sequences, pairs, margins):
        self.ids += [np.asarray(s) for s in sequences]
        self.lengths += [len(s) for s in sequences]
        self.counts.append(len(sequences))
        self.pairs.append(len(pairs))
        self.better += [b for b, _ in pairs]
        self.other += [o for _, o in pairs]
        self.margins += list(margins)

    def arrays(self):
        return dict(ids=np.concatenate(self.ids), lengths=np.array(self.lengths), counts=np.array(self.counts),
                    pairs=np.array(self.pairs), better=np.array(self.better), other=np.array(self.other),
                    margins=np.array(self.margins, dtype=np.float64))


class Sequential(RewardTrainer):
    recorder = None

    def _get_train_sampler(self, *args, **kwargs):
        return torch.utils.data.SequentialSampler(self.train_dataset)

    def training_step(self, model, inputs, *args, **kwargs):
        rows = [ids[mask.bool()].numpy() for ids, mask in zip(inputs["input_ids"], inputs["attention_mask"])]
        half = len(rows) // 2
        margins = inputs["margin"].tolist() if "margin" in inputs else [0.0] * half
        self.recorder.batch(rows, [(i, half + i) for i in range(half)], margins)
        return super().training_step(model, inputs, *args, **kwargs)


def pairs(file, margins, **changes):
    generator = np.random.default_rng(17)
    data = [answers(generator, 2) for _ in range(STEPS * ACCUMULATION * PAIRS)]
    columns = {"chosen_ids": [a.tolist() for a, _ in data], "rejected_ids": [b.tolist() for _, b in data]}
    if margins:
        columns["margin"] = [float(round(m, 3)) for m in generator.uniform(0, 1.5, len(data))]
    with tempfile.TemporaryDirectory() as directory:
        options = dict(output_dir=directory, max_steps=STEPS, per_device_train_batch_size=PAIRS,
                       gradient_accumulation_steps=ACCUMULATION, learning_rate=5e-3, lr_scheduler_type="cosine",
                       warmup_steps=5, weight_decay=0.1, max_grad_norm=1.0, logging_steps=1, report_to=[], use_cpu=True,
                       bf16=False, gradient_checkpointing=False, max_length=None, save_strategy="no", disable_tqdm=True,
                       optim="adamw_torch")
        made = model()
        out = {"score": made.score.weight.detach().numpy().copy()}
        trainer = Sequential(model=made, args=RewardConfig(**{**options, **changes}),
                             train_dataset=Dataset.from_dict(columns), processing_class=tokenizer())
        trainer.recorder = Recorder()
        trainer.train()
        log = [entry for entry in trainer.state.log_history if "loss" in entry]
    assert len(log) == STEPS, len(log)
    for key in ("loss", "grad_norm", "accuracy", "margin", "mean_reward", "min_reward", "max_reward"):
        out[key] = np.array([float(entry[key]) for entry in log])
    save(file, {**out, **trainer.recorder.arrays()})


def ranked(file):
    """InstructGPT's ranking (Ouyang et al. 2022, eq. 1): all K(K-1)/2 pairs of a prompt in one element, their mean, the mean over
    prompts; each answer goes through the model once."""
    made, recorder, log = model(), Recorder(), []
    out = {"score": made.score.weight.detach().numpy().copy()}
    parameters = [p for _, p in made.named_parameters()]
    optimizer = torch.optim.AdamW([{"params": [p for p in parameters if p.dim() >= 2], "weight_decay": 0.1},
                                   {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0}], lr=5e-3)
    schedule = get_cosine_schedule_with_warmup(optimizer, 5, STEPS)
    generator = np.random.default_rng(19)
    for _ in range(STEPS):
        prompts = [answers(generator, int(k)) for k in generator.integers(2, 6, 2)]
        sequences, indices, loss = [], [], 0.0
        scores = []
        for prompt in prompts:
            first = len(sequences)
            sequences += prompt
            for ids in prompt:
                hidden = made.model(input_ids=torch.tensor(ids)[None], use_cache=False).last_hidden_state[0, -1]
                scores.append(made.score(hidden)[0])
            own = [(first + i, first + j) for i in range(len(prompt)) for j in range(i + 1, len(prompt))]
            loss = loss - torch.stack([F.logsigmoid(scores[b] - scores[o]) for b, o in own]).mean() / len(prompts)
            indices += own
        recorder.batch(sequences, indices, [0.0] * len(indices))
        optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        right = np.mean([float(scores[b] > scores[o]) for b, o in indices])
        log.append((loss.item(), norm.item(), right))
    out["loss"], out["grad_norm"], out["accuracy"] = (np.array(v) for v in zip(*log))
    save(file, {**out, **recorder.arrays()})


def save(name, arrays):
    narrow = {k: v.astype(np.float32) if v.dtype == np.float32 else v for k, v in arrays.items()}
    np.savez_compressed(os.path.join(OUT, name + ".npz"), **narrow)
    print(name, os.path.getsize(os.path.join(OUT, name + ".npz")), "bytes")


pairs("reward-pairs", margins=False)
pairs("reward-margins", margins=True, center_rewards_coefficient=0.01)
ranked("reward-ranked")
