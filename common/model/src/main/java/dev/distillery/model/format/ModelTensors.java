package dev.distillery.model.format;

import java.util.ArrayList;
import java.util.List;

/**
 * The tensors that a configuration calls for, in Hugging Face's names, layouts and order. LLaMA's
 * matrices are [out, in]; GPT-2's inside the blocks are [in, out].
 */
public final class ModelTensors {
  /** The token embedding's name in LLaMA. */
  public static final String EMBEDDING = "model.embed_tokens.weight";

  /** The untied output head's name, in both architectures. */
  public static final String LM_HEAD = "lm_head.weight";

  /** The sequence head's name, in both architectures. */
  public static final String SCORE = "score.weight";

  private final List<TensorSpec> specs = new ArrayList<>();

  private ModelTensors() {}

  /** Every tensor of a model of this shape, a tied head left out. */
  public static List<TensorSpec> of(ModelConfig config) {
    ModelTensors tensors = new ModelTensors();
    switch (config.architecture()) {
      case LLAMA -> tensors.llama(config);
      case GPT2 -> tensors.gpt2(config);
    }
    if (config.labels() > 0) {
      tensors.add(SCORE, config.labels(), config.hiddenSize());
    } else if (!config.tieEmbeddings()) {
      tensors.add(LM_HEAD, config.vocabSize(), config.hiddenSize());
    }
    return List.copyOf(tensors.specs);
  }

  private void llama(ModelConfig c) {
    int width = c.hiddenSize();
    add(EMBEDDING, c.vocabSize(), width);
    for (int i = 0; i < c.layers(); i++) {
      String layer = "model.layers." + i + ".";
      add(layer + "input_layernorm.weight", width);
      linear(layer + "self_attn.q_proj", c.queryWidth(), width, c.attentionBias());
      linear(layer + "self_attn.k_proj", c.kvWidth(), width, c.attentionBias());
      linear(layer + "self_attn.v_proj", c.kvWidth(), width, c.attentionBias());
      linear(layer + "self_attn.o_proj", width, c.queryWidth(), c.attentionBias());
      add(layer + "post_attention_layernorm.weight", width);
      linear(layer + "mlp.gate_proj", c.intermediateSize(), width, c.mlpBias());
      linear(layer + "mlp.up_proj", c.intermediateSize(), width, c.mlpBias());
      linear(layer + "mlp.down_proj", width, c.intermediateSize(), c.mlpBias());
    }
    add("model.norm.weight", width);
  }

  private void gpt2(ModelConfig c) {
    int width = c.hiddenSize();
    add("transformer.wte.weight", c.vocabSize(), width);
    add("transformer.wpe.weight", c.maxPositions(), width);
    for (int i = 0; i < c.layers(); i++) {
      String layer = "transformer.h." + i + ".";
      norm(layer + "ln_1", width);
      conv1d(layer + "attn.c_attn", width, 3 * width);
      conv1d(layer + "attn.c_proj", width, width);
      norm(layer + "ln_2", width);
      conv1d(layer + "mlp.c_fc", width, c.intermediateSize());
      conv1d(layer + "mlp.c_proj", c.intermediateSize(), width);
    }
    norm("transformer.ln_f", width);
  }

  private void linear(String name, int out, int in, boolean bias) {
    add(name + ".weight", out, in);
    if (bias) {
      add(name + ".bias", out);
    }
  }

  private void conv1d(String name, int in, int out) {
    add(name + ".weight", in, out);
    add(name + ".bias", out);
  }

  private void norm(String name, int width) {
    add(name + ".weight", width);
    add(name + ".bias", width);
  }

  private void add(String name, Integer... shape) {
    specs.add(new TensorSpec(name, List.of(shape)));
  }
}
