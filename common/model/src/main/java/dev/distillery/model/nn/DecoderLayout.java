package dev.distillery.model.nn;

import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.LayerShape;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.TensorNames;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Where a decoder's weights lie: the slots of a configuration, of its adapters and of its value
 * head, and the modules that make up a layer.
 */
public final class DecoderLayout {
  /** The value head of PPO: one row of weights and a bias. */
  public static final String VALUE_WEIGHT = "v_head.summary.weight";

  /** What the slots of a value network are called by beside those of its policy. */
  public static final String VALUE_NETWORK = "value.";

  /** See {@link #VALUE_WEIGHT}. */
  public static final String VALUE_BIAS = "v_head.summary.bias";

  /**
   * A linear layer: modules of the same input below each other in one slot.
   *
   * @param slot name of the weights' slot; the bias' slot is the same with {@code .bias}
   * @param modules the modules' names in Hugging Face's model
   * @param outputs the outputs of each module
   * @param inputs inputs of all of them
   * @param bias whether there are biases
   * @param inputsFirst whether the weights lie as [in, out] (GPT)
   */
  record LinearLayout(
      String slot,
      List<String> modules,
      List<Integer> outputs,
      int inputs,
      boolean bias,
      boolean inputsFirst) {
    String biasSlot() {
      return slot + ".bias";
    }

    int width() {
      return outputs.stream().mapToInt(Integer::intValue).sum();
    }
  }

  private final ModelConfig config;
  private final LayerShape shape;
  private final TensorNames names;

  DecoderLayout(ModelConfig config) {
    this.config = config;
    this.shape = config.architecture().shape();
    this.names = config.architecture().names();
  }

  /** The slots of the model itself, in address order. */
  public static List<Slot> slots(ModelConfig config) {
    DecoderLayout layout = new DecoderLayout(config);
    List<Slot> slots = new ArrayList<>();
    slots.add(Slot.single(layout.embedding(), config.vocabSize(), config.hiddenSize()));
    if (!layout.shape.rotary()) {
      slots.add(Slot.single(layout.positions(), config.maxPositions(), config.hiddenSize()));
    }
    for (int i = 0; i < config.layers(); i++) {
      layout.norm(slots, layout.attentionNorm(i));
      linear(slots, layout.attentionIn(i));
      layout.headNorm(slots, layout.queryNorm(i), config.queryNormWidth());
      layout.headNorm(slots, layout.keyNorm(i), config.keyNormWidth());
      linear(slots, layout.attentionOut(i));
      layout.norm(slots, layout.attentionBranchNorm(i));
      layout.norm(slots, layout.mlpNorm(i));
      linear(slots, layout.mlpIn(i));
      linear(slots, layout.mlpOut(i));
      layout.norm(slots, layout.mlpBranchNorm(i));
    }
    layout.norm(slots, layout.finalNorm());
    if (config.labels() > 0) {
      slots.add(matrix(ModelTensors.SCORE, config.labels(), config.hiddenSize()));
    } else if (!config.tieEmbeddings()) {
      slots.add(Slot.single(ModelTensors.LM_HEAD, config.vocabSize(), config.hiddenSize()));
    }
    return slots;
  }

  /**
   * The slots of adapters on a model, named as PEFT names them, in address order, and behind them
   * those of the rows that are trained beside them.
   *
   * @throws IllegalArgumentException if the model has no linear layer of a target's name, or no
   *     such token
   */
  public static List<Slot> slots(ModelConfig config, LoraConfig lora) {
    DecoderLayout layout = new DecoderLayout(config);
    List<Slot> slots = new ArrayList<>();
    Set<String> names = new LinkedHashSet<>();
    for (int i = 0; i < config.layers(); i++) {
      for (LinearLayout linear : layout.linears(i)) {
        for (int m = 0; m < linear.modules().size(); m++) {
          String module = linear.modules().get(m);
          names.add(LoraConfig.name(module));
          if (lora.adapts(module)) {
            slots.add(matrix(loraA(module), lora.rank(), linear.inputs()));
            slots.add(matrix(loraB(module), linear.outputs().get(m), lora.rank()));
          }
        }
      }
    }
    for (String target : lora.targets()) {
      if (!names.contains(target)) {
        throw new IllegalArgumentException(
            "The model has no linear layer called %s to adapt: name some of %s"
                .formatted(target, String.join(", ", names)));
      }
    }
    for (int token : lora.tokens()) {
      if (token < 0 || token >= config.vocabSize()) {
        throw new IllegalArgumentException(
            "Token id %s is not in the vocabulary of %s".formatted(token, config.vocabSize()));
      }
    }
    if (!lora.tokens().isEmpty()) {
      for (String module : tokenModules(config)) {
        slots.add(matrix(tokenRows(module), lora.tokens().size(), config.hiddenSize()));
      }
    }
    return slots;
  }

  /**
   * The modules that have a row for each token: the embedding, and the head of a language model
   * where it is another matrix.
   */
  public static List<String> tokenModules(ModelConfig config) {
    String embedding = config.architecture().names().embedding();
    return config.tieEmbeddings() || config.labels() > 0
        ? List.of(embedding)
        : List.of(embedding, module(ModelTensors.LM_HEAD));
  }

  /** The slot of a module's rows that are trained for some tokens. */
  static String tokenRows(String module) {
    return AdapterFiles.PREFIX + module + AdapterFiles.TOKEN_ROWS;
  }

  /** The module whose rows for some tokens a slot holds; empty where it holds none. */
  public static Optional<String> tokenModule(Slot slot) {
    return slot.name().endsWith(AdapterFiles.TOKEN_ROWS)
        ? Optional.of(
            slot.name()
                .substring(
                    AdapterFiles.PREFIX.length(),
                    slot.name().length() - AdapterFiles.TOKEN_ROWS.length()))
        : Optional.empty();
  }

  private static String module(String weight) {
    return weight.substring(0, weight.lastIndexOf('.'));
  }

  private static Slot matrix(String name, int rows, int columns) {
    return new Slot(name, rows, columns, List.of(new Slot.Part(name, 0, rows)), true);
  }

  /** The slots of a value head; beside a score head, which is its weight, the bias alone. */
  public static List<Slot> valueHead(ModelConfig config) {
    Slot bias = Slot.single(VALUE_BIAS, 1, 1);
    return config.labels() > 0
        ? List.of(bias)
        : List.of(matrix(VALUE_WEIGHT, 1, config.hiddenSize()), bias);
  }

  /** Whether a slot is of the value head, which no model's file and no adapter holds. */
  public static boolean isValueHead(Slot slot) {
    return slot.name().equals(VALUE_WEIGHT) || slot.name().equals(VALUE_BIAS);
  }

  static String loraA(String module) {
    return AdapterFiles.PREFIX + module + ".lora_A.weight";
  }

  static String loraB(String module) {
    return AdapterFiles.PREFIX + module + ".lora_B.weight";
  }

  String embedding() {
    return names.embedding() + ".weight";
  }

  String positions() {
    return names.positions() + ".weight";
  }

  /** The slot of the output head's weights. */
  String head() {
    return config.tieEmbeddings() ? embedding() : ModelTensors.LM_HEAD;
  }

  /** The module of the norm before the head; empty where there is none, as for all norms here. */
  String finalNorm() {
    return names.finalNorm();
  }

  String attentionNorm(int i) {
    return within(i, names.attentionNorm());
  }

  String attentionBranchNorm(int i) {
    return within(i, names.attentionBranchNorm());
  }

  String mlpNorm(int i) {
    return within(i, names.mlpNorm());
  }

  String mlpBranchNorm(int i) {
    return within(i, names.mlpBranchNorm());
  }

  String queryNorm(int i) {
    return within(i, names.queryNorm());
  }

  String keyNorm(int i) {
    return within(i, names.keyNorm());
  }

  /** Queries, keys and values below each other. */
  LinearLayout attentionIn(int i) {
    return joined(
        i,
        names.attentionIn(),
        "self_attn.qkv",
        config.attentionOutputs(),
        config.hiddenSize(),
        config.attentionBias());
  }

  LinearLayout attentionOut(int i) {
    return single(
        i,
        names.attentionOut(),
        config.hiddenSize(),
        config.queryWidth(),
        config.attentionBias() && shape.outputBias());
  }

  /** Gate and up below each other, or the one projection. */
  LinearLayout mlpIn(int i) {
    return joined(
        i,
        names.mlpIn(),
        "mlp.gate_up",
        config.mlpOutputs(),
        config.hiddenSize(),
        config.mlpBias());
  }

  LinearLayout mlpOut(int i) {
    return single(
        i, names.mlpOut(), config.hiddenSize(), config.intermediateSize(), config.mlpBias());
  }

  private List<LinearLayout> linears(int i) {
    return List.of(attentionIn(i), attentionOut(i), mlpIn(i), mlpOut(i));
  }

  /** What the names of a layer's tensors begin with. */
  String layer(int i) {
    return names.layer() + i + ".";
  }

  private String within(int i, String name) {
    return name.isEmpty() ? "" : layer(i) + name;
  }

  /** Several modules lie in a slot with a name of its own, a single one in its own. */
  private LinearLayout joined(
      int i, List<String> modules, String slot, List<Integer> outputs, int inputs, boolean bias) {
    return new LinearLayout(
        layer(i) + (modules.size() == 1 ? modules.get(0) : slot),
        modules.stream().map(module -> layer(i) + module).toList(),
        outputs,
        inputs,
        bias,
        shape.inputsFirst());
  }

  private LinearLayout single(int i, String module, int output, int inputs, boolean bias) {
    return joined(i, List.of(module), module, List.of(output), inputs, bias);
  }

  private void headNorm(List<Slot> slots, String module, int width) {
    if (!module.isEmpty()) {
      slots.add(Slot.single(module + ".weight", 1, width));
    }
  }

  private void norm(List<Slot> slots, String module) {
    if (module.isEmpty()) {
      return;
    }
    slots.add(Slot.single(module + ".weight", 1, config.hiddenSize()));
    if (shape.norm() == LayerShape.NormKind.LAYER) {
      slots.add(Slot.single(module + ".bias", 1, config.hiddenSize()));
    }
  }

  private static void linear(List<Slot> slots, LinearLayout linear) {
    List<Slot.Part> weights = new ArrayList<>();
    int row = 0;
    for (int m = 0; m < linear.modules().size(); m++) {
      int rows = linear.inputsFirst() ? linear.inputs() : linear.outputs().get(m);
      weights.add(new Slot.Part(linear.modules().get(m) + ".weight", row, rows));
      row += rows;
    }
    slots.add(
        new Slot(
            linear.slot(),
            row,
            linear.inputsFirst() ? linear.width() : linear.inputs(),
            weights,
            true));
    if (linear.bias()) {
      bias(slots, linear);
    }
  }

  /** Biases lie one value a row, so that parts below each other are one row vector. */
  private static void bias(List<Slot> slots, LinearLayout linear) {
    List<Slot.Part> parts = new ArrayList<>();
    int row = 0;
    for (int m = 0; m < linear.modules().size(); m++) {
      parts.add(new Slot.Part(linear.modules().get(m) + ".bias", row, linear.outputs().get(m)));
      row += linear.outputs().get(m);
    }
    slots.add(new Slot(linear.biasSlot(), row, 1, parts, false));
  }
}
