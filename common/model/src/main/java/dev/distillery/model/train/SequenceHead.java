package dev.distillery.model.train;

import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Ids;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.util.Optional;

/**
 * Numbers read off chosen positions: a reward model's score or a classifier's logits at a
 * sequence's last token, or PPO's values at each token.
 */
public final class SequenceHead implements AutoCloseable {
  private final Decoder decoder;
  private final Kernels kernels;
  private final String weightSlot;
  private final Optional<String> biasSlot;
  private final Workspace workspace;

  private SequenceHead(Decoder decoder, String weightSlot, Optional<String> biasSlot) {
    this.decoder = decoder;
    this.kernels = decoder.kernels();
    this.weightSlot = weightSlot;
    this.biasSlot = biasSlot;
    this.workspace = new Workspace(kernels);
  }

  /** The sequence head {@code score.weight}, which has no bias in Hugging Face's models. */
  public static SequenceHead score(Decoder decoder) {
    return new SequenceHead(decoder, ModelTensors.SCORE, Optional.empty());
  }

  /** The value head, a row of weights and a bias; of a reward model its score's weights. */
  public static SequenceHead value(Decoder decoder) {
    return new SequenceHead(
        decoder,
        decoder.config().labels() > 0 ? ModelTensors.SCORE : DecoderLayout.VALUE_WEIGHT,
        Optional.of(DecoderLayout.VALUE_BIAS));
  }

  /**
   * The head's outputs at some rows of the decoder's hidden states, row by row: one number a row
   * for scores and values, as many as there are labels for a classifier.
   */
  public float[] forward(Tensor hidden, int[] rows) {
    Tensor weight = decoder.parameters().get(weightSlot);
    Tensor out = workspace.get("out", rows.length, weight.rows());
    kernels.matmul(out, gather(hidden, rows), false, weight, true, 1, 0);
    biasSlot.ifPresent(slot -> kernels.addRow(out, decoder.parameters().get(slot)));
    return out.toArray();
  }

  /**
   * Adds to dHidden and to the head's gradient.
   *
   * @param dOut gradient of what {@link #forward} returned for the same rows
   */
  public void backward(
      Tensor dHidden, Tensor hidden, int[] rows, float[] dOut, Gradients gradients) {
    Tensor weight = decoder.parameters().get(weightSlot);
    Tensor gradient = workspace.get("dOut", rows.length, weight.rows());
    gradient.write(dOut);
    Tensor dChosen = workspace.get("dChosen", rows.length, weight.columns());
    kernels.matmul(dChosen, gradient, false, weight, false, 1, 0);
    try (Ids ids = kernels.ids(rows)) {
      kernels.scatterAdd(dHidden, ids, dChosen);
    }
    Tensor chosen = gather(hidden, rows);
    gradients
        .add(weightSlot)
        .ifPresent(dWeight -> kernels.matmul(dWeight, gradient, true, chosen, false, 1, 1));
    biasSlot.flatMap(gradients::add).ifPresent(dBias -> kernels.addColumnSums(dBias, gradient));
  }

  private Tensor gather(Tensor hidden, int[] rows) {
    Tensor chosen = workspace.get("chosen", rows.length, hidden.columns());
    try (Ids ids = kernels.ids(rows)) {
      kernels.gather(chosen, hidden, ids);
    }
    return chosen;
  }

  @Override
  public void close() {
    workspace.close();
  }
}
