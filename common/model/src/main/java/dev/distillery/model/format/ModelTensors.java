package dev.distillery.model.format;

import java.util.ArrayList;
import java.util.List;

/**
 * The tensors that a configuration calls for, in Hugging Face's names, layouts and order. Matrices
 * are [out, in]; GPT's inside the layers are [in, out].
 */
public final class ModelTensors {
  /** The untied output head's name, in all families. */
  public static final String LM_HEAD = "lm_head.weight";

  /** The sequence head's name, in all families. */
  public static final String SCORE = "score.weight";

  private final ModelConfig config;
  private final List<TensorSpec> specs = new ArrayList<>();

  private ModelTensors(ModelConfig config) {
    this.config = config;
  }

  /** Every tensor of a model of this shape, a tied head left out. */
  public static List<TensorSpec> of(ModelConfig config) {
    ModelTensors tensors = new ModelTensors(config);
    tensors.decoder();
    if (config.labels() > 0) {
      tensors.add(SCORE, config.labels(), config.hiddenSize());
    } else if (!config.tieEmbeddings()) {
      tensors.add(LM_HEAD, config.vocabSize(), config.hiddenSize());
    }
    return List.copyOf(tensors.specs);
  }

  private void decoder() {
    LayerShape shape = config.architecture().shape();
    TensorNames names = config.architecture().names();
    add(names.embedding() + ".weight", config.vocabSize(), config.hiddenSize());
    if (!shape.rotary()) {
      add(names.positions() + ".weight", config.maxPositions(), config.hiddenSize());
    }
    for (int i = 0; i < config.layers(); i++) {
      layer(names.layer() + i + ".", shape, names);
    }
    norm(names.finalNorm(), config.hiddenSize());
  }

  private void layer(String layer, LayerShape shape, TensorNames names) {
    boolean bias = config.attentionBias();
    int width = config.hiddenSize();
    layerNorm(layer, names.attentionNorm());
    linears(layer, names.attentionIn(), config.attentionOutputs(), width, bias);
    headNorm(layer, names.queryNorm(), config.queryNormWidth());
    headNorm(layer, names.keyNorm(), config.keyNormWidth());
    linears(
        layer,
        List.of(names.attentionOut()),
        List.of(width),
        config.queryWidth(),
        bias && shape.outputBias());
    layerNorm(layer, names.attentionBranchNorm());
    layerNorm(layer, names.mlpNorm());
    linears(layer, names.mlpIn(), config.mlpOutputs(), width, config.mlpBias());
    linears(
        layer,
        List.of(names.mlpOut()),
        List.of(width),
        config.intermediateSize(),
        config.mlpBias());
    layerNorm(layer, names.mlpBranchNorm());
  }

  private void linears(
      String layer, List<String> modules, List<Integer> outputs, int inputs, boolean bias) {
    for (int m = 0; m < modules.size(); m++) {
      String name = layer + modules.get(m);
      if (config.architecture().shape().inputsFirst()) {
        add(name + ".weight", inputs, outputs.get(m));
      } else {
        add(name + ".weight", outputs.get(m), inputs);
      }
      if (bias) {
        add(name + ".bias", outputs.get(m));
      }
    }
  }

  private void layerNorm(String layer, String name) {
    norm(name.isEmpty() ? "" : layer + name, config.hiddenSize());
  }

  private void headNorm(String layer, String name, int width) {
    if (!name.isEmpty()) {
      add(layer + name + ".weight", width);
    }
  }

  private void norm(String name, int width) {
    if (name.isEmpty()) {
      return;
    }
    add(name + ".weight", width);
    if (config.architecture().shape().norm() == LayerShape.NormKind.LAYER) {
      add(name + ".bias", width);
    }
  }

  private void add(String name, Integer... shape) {
    specs.add(new TensorSpec(name, List.of(shape)));
  }
}
