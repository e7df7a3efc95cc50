"""Makes src/test/resources/golden/student: a tiny random LLaMA with a tokenizer, and what transformers answers with it.

    pip install torch transformers                   # made with torch 2.15, transformers 5.23
    python make_student_goldens.py

expected.json holds log-probabilities of texts, each token after those before it and the first after BOS, as
lm-evaluation-harness has it; and greedy replies to prompts and to dialogues. All of it in float32, of weights that were
rounded to float16 to keep the file small.
"""
import json
import os
import shutil

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

OUT = os.path.join(os.path.dirname(__file__), "..", "resources", "golden", "student")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
CORPUS = ["The cat sat on the mat.", "A river runs to the sea; the sea is wide.", "user system assistant",
          "What is the name of the river?", "1, 2, 3 and 4 make 10."]
CHATML = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
          "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")
TEXTS = {"plain": "The cat sat on the river.", "one": "a", "unicode": "naïve 東京 \U0001F600\n\n  x", "empty line": "\n",
         "begins": "<|im_start|>user\nWhat?<|im_end|>\n"}
PROMPTS = ["The river", "1, 2,", "What is the name of"]
DIALOGUES = [[{"role": "user", "content": "What is the sea?"}],
             [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a cat."}]]
NEW_TOKENS = 14
torch.set_num_threads(1)


def tokenizer():
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIAL, show_progress=False,
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    bpe.train_from_iterator(CORPUS, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<|im_start|>", eos_token="<|im_end|>",
                                   pad_token="<|im_end|>", chat_template=CHATML)


def model(vocabulary):
    config = LlamaConfig(vocab_size=vocabulary, hidden_size=32, intermediate_size=48, num_hidden_layers=2,
                         num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5,
                         tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, pad_token_id=2,
                         rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, attn_implementation="eager")
    made = LlamaForCausalLM(config)
    generator = torch.Generator().manual_seed(11)
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + 0.2 * noise if name.endswith("norm.weight") else 0.3 * noise)
    return made.half().eval()


def logprobs(student, ids):
    given = ids if ids[0] == student.config.bos_token_id else [student.config.bos_token_id] + ids
    scores = torch.log_softmax(student(torch.tensor([given])).logits[0].double(), -1)
    known = [scores[i, given[i + 1]].item() for i in range(len(given) - 1)]
    return [None] * (len(ids) - len(known)) + known


def greedy(student, words, ids):
    out = student.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.long),
                           max_new_tokens=NEW_TOKENS, do_sample=False)[0, len(ids):].tolist()
    return {"reply": words.decode(out, skip_special_tokens=True), "prompt_tokens": len(ids),
            "completion_tokens": len(out), "finish_reason": "stop" if out[-1] == 2 else "length"}


shutil.rmtree(OUT, ignore_errors=True)
words = tokenizer()
student = model(len(words))
student.save_pretrained(OUT)
words.save_pretrained(OUT)
# Read again: half() has rounded the rotary frequencies too.
student = LlamaForCausalLM.from_pretrained(OUT, dtype=torch.float32, attn_implementation="eager").eval()
with torch.no_grad():
    expected = {
        "logprobs": [{"id": name, "text": text, "token_ids": words(text)["input_ids"],
                      "logprobs": logprobs(student, words(text)["input_ids"])} for name, text in TEXTS.items()],
        "prompts": [{"prompt": prompt, **greedy(student, words, words(prompt)["input_ids"])} for prompt in PROMPTS],
        "dialogues": [{"messages": messages, **greedy(student, words, words(
            words.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))["input_ids"])}
            for messages in DIALOGUES]}
with open(os.path.join(OUT, "expected.json"), "w") as file:
    json.dump(expected, file, indent=1, ensure_ascii=True)
