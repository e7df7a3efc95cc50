package dev.distillery.model.format;

/**
 * The choices that make up a layer of a family, apart from its sizes. The decoder reads these and
 * {@link TensorNames} and knows no family.
 *
 * @param norm the kind of all norms
 * @param place where the norms of attention and MLP stand
 * @param headNorm what is normalised of queries and keys, before they are rotated
 * @param rotary whether positions rotate queries and keys; if not, they are learned and added to
 *     the embedding
 * @param gated whether the MLP is activation(gate) * up; if not, it has one projection in
 * @param outputBias whether attention's biases, where there are some, are on its output projection
 *     too
 * @param inputsFirst whether a layer's matrices lie as [in, out]
 * @param finalNorm whether a norm stands before the head
 */
public record LayerShape(
    NormKind norm,
    NormPlace place,
    HeadNorm headNorm,
    boolean rotary,
    boolean gated,
    boolean outputBias,
    boolean inputsFirst,
    boolean finalNorm) {

  /** What a norm computes; eps is the model's. */
  public enum NormKind {
    /** x / sqrt(mean(x^2) + eps) * w. */
    RMS,
    /** x / sqrt(mean(x^2) + eps) * (1 + w). */
    RMS_PLUS_ONE,
    /** (x - mean) / sqrt(variance + eps) * w + b. */
    LAYER
  }

  /** Where norms stand; f is attention or the MLP. */
  public enum NormPlace {
    /** x + f(norm(x)). */
    BEFORE,
    /** x + norm(f(x)). */
    BRANCH,
    /** x + norm'(f(norm(x))). */
    AROUND,
    /** norm(x + f(x)). */
    AFTER;

    /** Whether what goes into attention and MLP is normalised. */
    public boolean before() {
      return this == BEFORE || this == AROUND;
    }

    /** Whether what comes out of them is, before it joins. */
    public boolean branch() {
      return this == BRANCH || this == AROUND;
    }
  }

  /** RMSNorms of queries and keys. */
  public enum HeadNorm {
    NONE,
    /** Each head by itself; all heads share one weight of a head's width. */
    HEAD,
    /** All heads together. */
    WIDTH
  }

  static final LayerShape LLAMA =
      new LayerShape(NormKind.RMS, NormPlace.BEFORE, HeadNorm.NONE, true, true, true, false, true);
  static final LayerShape QWEN2 = LLAMA.with(false);
  static final LayerShape QWEN3 = LLAMA.with(HeadNorm.HEAD);
  static final LayerShape GEMMA3 =
      new LayerShape(
          NormKind.RMS_PLUS_ONE, NormPlace.AROUND, HeadNorm.HEAD, true, true, true, false, true);
  static final LayerShape OLMO2 =
      new LayerShape(NormKind.RMS, NormPlace.BRANCH, HeadNorm.WIDTH, true, true, true, false, true);
  static final LayerShape GPT2 =
      new LayerShape(
          NormKind.LAYER, NormPlace.BEFORE, HeadNorm.NONE, false, false, true, true, true);
  static final LayerShape GPT1 =
      new LayerShape(
          NormKind.LAYER, NormPlace.AFTER, HeadNorm.NONE, false, false, true, true, false);

  private LayerShape with(HeadNorm changed) {
    return new LayerShape(norm, place, changed, rotary, gated, outputBias, inputsFirst, finalNorm);
  }

  private LayerShape with(boolean outputBiasChanged) {
    return new LayerShape(
        norm, place, headNorm, rotary, gated, outputBiasChanged, inputsFirst, finalNorm);
  }
}
