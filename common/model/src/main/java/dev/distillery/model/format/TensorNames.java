package dev.distillery.model.format;

import java.util.List;
import java.util.stream.Stream;

/**
 * What a family's tensors are called in Hugging Face's files, without {@code .weight} and {@code
 * .bias}. What a family has not is empty. Names from {@code attentionNorm} on are within a layer.
 *
 * @param embedding the token embedding
 * @param positions the position embedding
 * @param finalNorm the norm before the head
 * @param layer what a layer's names begin with, before its number
 * @param attentionNorm before attention, or after the sum ({@link LayerShape.NormPlace#AFTER})
 * @param attentionBranchNorm on attention's output
 * @param mlpNorm before the MLP, or after the sum
 * @param mlpBranchNorm on the MLP's output
 * @param queryNorm of queries
 * @param keyNorm of keys
 * @param attentionIn the projections to queries, keys and values, or the one to all of them
 * @param attentionOut the projection of what was attended to
 * @param mlpIn gate and up, or the one projection in, which may be to both
 * @param mlpOut the projection out
 */
public record TensorNames(
    String embedding,
    String positions,
    String finalNorm,
    String layer,
    String attentionNorm,
    String attentionBranchNorm,
    String mlpNorm,
    String mlpBranchNorm,
    String queryNorm,
    String keyNorm,
    List<String> attentionIn,
    String attentionOut,
    List<String> mlpIn,
    String mlpOut) {

  static final TensorNames LLAMA =
      llama("input_layernorm", "", "post_attention_layernorm", "", false);
  static final TensorNames QWEN3 =
      llama("input_layernorm", "", "post_attention_layernorm", "", true);
  static final TensorNames GEMMA3 =
      llama(
          "input_layernorm",
          "post_attention_layernorm",
          "pre_feedforward_layernorm",
          "post_feedforward_layernorm",
          true);
  static final TensorNames OLMO2 =
      llama("", "post_attention_layernorm", "", "post_feedforward_layernorm", true);
  static final TensorNames PHI3 =
      LLAMA.fused(List.of("self_attn.qkv_proj"), List.of("mlp.gate_up_proj"));
  static final TensorNames GPT2 = gpt("transformer.wte", "transformer.wpe", "transformer.ln_f");
  static final TensorNames GPT1 =
      gpt("transformer.tokens_embed", "transformer.positions_embed", "");

  public TensorNames {
    attentionIn = List.copyOf(attentionIn);
    mlpIn = List.copyOf(mlpIn);
  }

  /** The last part of the names of a layer's matrices, each once: what an adapter may target. */
  public List<String> linears() {
    return Stream.of(attentionIn, List.of(attentionOut), mlpIn, List.of(mlpOut))
        .flatMap(List::stream)
        .map(module -> module.substring(module.lastIndexOf('.') + 1))
        .distinct()
        .toList();
  }

  private static TensorNames llama(
      String attentionNorm,
      String attentionBranchNorm,
      String mlpNorm,
      String mlpBranchNorm,
      boolean headNorms) {
    return new TensorNames(
        "model.embed_tokens",
        "",
        "model.norm",
        "model.layers.",
        attentionNorm,
        attentionBranchNorm,
        mlpNorm,
        mlpBranchNorm,
        headNorms ? "self_attn.q_norm" : "",
        headNorms ? "self_attn.k_norm" : "",
        List.of("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
        "self_attn.o_proj",
        List.of("mlp.gate_proj", "mlp.up_proj"),
        "mlp.down_proj");
  }

  private TensorNames fused(List<String> attention, List<String> mlp) {
    return new TensorNames(
        embedding,
        positions,
        finalNorm,
        layer,
        attentionNorm,
        attentionBranchNorm,
        mlpNorm,
        mlpBranchNorm,
        queryNorm,
        keyNorm,
        attention,
        attentionOut,
        mlp,
        mlpOut);
  }

  private static TensorNames gpt(String embedding, String positions, String finalNorm) {
    return new TensorNames(
        embedding,
        positions,
        finalNorm,
        "transformer.h.",
        "ln_1",
        "",
        "ln_2",
        "",
        "",
        "",
        List.of("attn.c_attn"),
        "attn.c_proj",
        List.of("mlp.c_fc"),
        "mlp.c_proj");
  }
}
