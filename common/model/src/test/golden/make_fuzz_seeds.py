"""Makes the seeds of the fuzzer's targets for models' files, tiny and whole: python make_fuzz_seeds.py. They lie in ../fuzz."""
import base64
import json
import os
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, VOCABULARY = 4, 6


def put(target, name, data):
    folder = os.path.join(HERE, "..", "fuzz", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as out:
        out.write(data if isinstance(data, bytes) else data.encode())


# GGUF: a llama of one layer.
def u32(value):
    return struct.pack("<I", value)


def u64(value):
    return struct.pack("<Q", value)


def f32(value):
    return struct.pack("<f", value)


def text(value):
    data = value.encode()
    return u64(len(data)) + data


def entry(key, kind, value):
    return text(key) + u32(kind) + value


def array(kind, values):
    return u32(kind) + u64(len(values)) + b"".join(values)


SQUARE = [WIDTH, WIDTH]
TENSORS = [("token_embd", [WIDTH, VOCABULARY]), ("output_norm", [WIDTH]), ("blk.0.attn_norm", [WIDTH]), ("blk.0.ffn_norm", [WIDTH]),
           *((f"blk.0.{name}", SQUARE) for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"))]


def gguf(tokenizer, tokens, more):
    entries = [entry("general.architecture", 8, text("llama")), entry("general.name", 8, text("tiny")), entry("llama.context_length", 4, u32(16)),
               entry("llama.embedding_length", 4, u32(WIDTH)), entry("llama.block_count", 4, u32(1)), entry("llama.feed_forward_length", 4, u32(WIDTH)),
               entry("llama.attention.head_count", 4, u32(1)), entry("llama.attention.head_count_kv", 4, u32(1)),
               entry("llama.attention.layer_norm_rms_epsilon", 6, f32(1e-5)), entry("llama.rope.freq_base", 6, f32(1e4)),
               entry("llama.rope.dimension_count", 4, u32(WIDTH)), entry("tokenizer.ggml.model", 8, text(tokenizer)),
               entry("tokenizer.ggml.tokens", 9, array(8, [text(token) for token in tokens])), entry("tokenizer.ggml.bos_token_id", 4, u32(1)),
               entry("tokenizer.ggml.eos_token_id", 4, u32(2)),
               entry("tokenizer.chat_template", 8, text("{% for m in messages %}{{ m.content }}{% endfor %}")), *more]
    head = b"GGUF" + u32(3) + u64(len(TENSORS)) + u64(len(entries)) + b"".join(entries)
    weights = b""
    for name, shape in TENSORS:
        head += text(name + ".weight") + u32(len(shape)) + b"".join(u64(size) for size in shape) + u32(0) + u64(len(weights))
        size = 4 * (shape[0] * shape[1] if len(shape) > 1 else shape[0])
        weights += bytes(size + -size % 32)
    return head + bytes(-len(head) % 32) + weights


def kinds(*values):
    return entry("tokenizer.ggml.token_type", 9, array(5, [u32(value) for value in values]))


put("GgufModelFuzz", "spm.gguf", gguf("llama", ["<unk>", "<s>", "</s>", "<0x0A>", "a", "\u2581"],
                                      [entry("tokenizer.ggml.scores", 9, array(6, [f32(-i) for i in range(VOCABULARY)])), kinds(2, 3, 3, 6, 1, 1)]))
put("GgufModelFuzz", "bpe.gguf", gguf("gpt2", ["a", "<s>", "</s>", "b", "ab", "\u0120"],
                                      [entry("tokenizer.ggml.pre", 8, text("smollm")), entry("tokenizer.ggml.merges", 9, array(8, [text("a b")])),
                                       kinds(1, 3, 3, 1, 1, 1)]))


# Folders: two bytes with the length of the first file, the first file, the second.
def both(config, shapes):
    first = json.dumps(config).encode()
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4 * (shape[0] * shape[1] if len(shape) > 1 else shape[0])
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    head = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<H", len(first)) + first + u64(len(head)) + head + bytes(end)


LLAMA = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": WIDTH, "intermediate_size": WIDTH, "num_hidden_layers": 1,
         "num_attention_heads": 1, "num_key_value_heads": 1, "vocab_size": VOCABULARY, "max_position_embeddings": 16, "rms_norm_eps": 1e-05,
         "rope_theta": 10000.0, "tie_word_embeddings": True, "hidden_act": "silu", "torch_dtype": "float32"}
LAYER = "model.layers.0."
SHAPES = {"model.embed_tokens.weight": [VOCABULARY, WIDTH], "model.norm.weight": [WIDTH], LAYER + "input_layernorm.weight": [WIDTH],
          LAYER + "post_attention_layernorm.weight": [WIDTH],
          **{f"{LAYER}{name}_proj.weight": SQUARE for name in ("self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "mlp.gate", "mlp.up", "mlp.down")}}
put("ModelFolderFuzz", "llama.bin", both(LLAMA, SHAPES))
put("ModelFolderFuzz", "qwen3.bin", both({**LLAMA, "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "head_dim": WIDTH},
                                         {**SHAPES, LAYER + "self_attn.q_norm.weight": [WIDTH], LAYER + "self_attn.k_norm.weight": [WIDTH]}))
GPT2 = {"wte.weight": [VOCABULARY, WIDTH], "wpe.weight": [8, WIDTH], "ln_f.weight": [WIDTH], "ln_f.bias": [WIDTH]}
for name in ("ln_1", "ln_2"):
    GPT2 |= {f"h.0.{name}.weight": [WIDTH], f"h.0.{name}.bias": [WIDTH]}
for name, rows, columns in (("attn.c_attn", 4, 12), ("attn.c_proj", 4, 4), ("mlp.c_fc", 4, 16), ("mlp.c_proj", 16, 4)):
    GPT2 |= {f"h.0.{name}.weight": [rows, columns], f"h.0.{name}.bias": [columns]}
put("ModelFolderFuzz", "gpt2.bin", both({"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": WIDTH, "n_layer": 1, "n_head": 1,
                                         "n_positions": 8, "vocab_size": VOCABULARY, "layer_norm_epsilon": 1e-05, "activation_function": "gelu_new"}, GPT2))
LORA = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "b", "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"],
        "lora_dropout": 0.0, "bias": "none", "fan_in_fan_out": False, "use_rslora": False}
FACTORS = {"base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": [2, WIDTH],
           "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": [WIDTH, 2]}
put("AdapterFuzz", "plain.bin", both(LORA, FACTORS))
put("AdapterFuzz", "patterns.bin", both({**LORA, "target_modules": ".*\\.(q|v)_proj", "rank_pattern": {"q_proj": 2},
                                         "alpha_pattern": {"^model.layers.0.*": 3}, "use_rslora": True, "modules_to_save": None}, FACTORS))


# Tokenizers that can cut any text.
def letters():
    """The letter of each byte in byte-level BPE."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return sorted([chr(byte) for byte in plain] + [chr(256 + i) for i in range(256 - len(plain))])


def added(content, **more):
    return {"id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **more}


def bpe(vocabulary, merges, **more):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
            "byte_fallback": False, **more, "vocab": {token: i for i, token in enumerate(vocabulary)}, "merges": merges}


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
put("TokenizerFuzz", "byte-level.json", json.dumps(
    {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [added("<s>", rstrip=True)], "normalizer": None, "pre_tokenizer": BYTES,
     "post_processor": None, "decoder": {**BYTES, "add_prefix_space": True}, "model": bpe(["<s>", *letters(), "wo"], ["w o"])}, ensure_ascii=False))
put("TokenizerFuzz", "metaspace.json", json.dumps(
    {"version": "1.0", "added_tokens": [added("<unk>")],
     "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
                                                        {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]},
     "pre_tokenizer": None, "post_processor": None,
     "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"},
                                                  {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
     "model": bpe(["<unk>", *(f"<0x{i:02X}>" for i in range(256)), "\u2581", "T", "w", "o", "wo"], [["w", "o"]], unk_token="<unk>", fuse_unk=True,
                  byte_fallback=True)}, ensure_ascii=False))
with open(os.path.join(HERE, "..", "resources", "golden", "tekken", "tekken.json")) as file:
    pattern = json.load(file)["config"]["pattern"]
put("TokenizerFuzz", "tekken.json", json.dumps(
    {"config": {"pattern": pattern, "num_vocab_tokens": 258, "default_vocab_size": 278, "default_num_special_tokens": 20, "version": "v3"},
     "vocab": [{"rank": rank, "token_bytes": base64.b64encode(data).decode(), "token_str": None}
               for rank, data in enumerate([*(bytes([i]) for i in range(256)), b"wo", b" T"])]}))
