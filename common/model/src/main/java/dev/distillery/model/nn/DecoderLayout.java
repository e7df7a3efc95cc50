package dev.distillery.model.nn;

import dev.distillery.model.format.Architecture;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelTensors;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Where a decoder's weights lie: the slots of a configuration, of its adapters and of its value
 * head, and the modules that make up a layer.
 */
public final class DecoderLayout {
  /** The value head of PPO: one row of weights and a bias. */
  public static final String VALUE_WEIGHT = "v_head.summary.weight";

  /** What PEFT puts before the names of a model's modules. */
  static final String PEFT_PREFIX = "base_model.model.";

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
   * @param inputsFirst whether the weights lie as [in, out] (GPT-2)
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

  DecoderLayout(ModelConfig config) {
    this.config = config;
  }

  /** The slots of the model itself, in address order. */
  public static List<Slot> slots(ModelConfig config) {
    DecoderLayout layout = new DecoderLayout(config);
    List<Slot> slots = new ArrayList<>();
    slots.add(Slot.single(layout.embedding(), config.vocabSize(), config.hiddenSize()));
    if (layout.gpt2()) {
      slots.add(Slot.single(layout.positions(), config.maxPositions(), config.hiddenSize()));
    }
    for (int i = 0; i < config.layers(); i++) {
      layout.norm(slots, layout.attentionNorm(i));
      linear(slots, layout.attentionIn(i));
      linear(slots, layout.attentionOut(i));
      layout.norm(slots, layout.mlpNorm(i));
      linear(slots, layout.mlpIn(i));
      linear(slots, layout.mlpOut(i));
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
   * The slots of adapters on a model, named as PEFT names them, in address order.
   *
   * @throws IllegalArgumentException if the model has no linear layer of a target's name
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
    return slots;
  }

  private static Slot matrix(String name, int rows, int columns) {
    return new Slot(name, rows, columns, List.of(new Slot.Part(name, 0, rows)), true);
  }

  /** The slots of a value head. */
  public static List<Slot> valueHead(ModelConfig config) {
    return List.of(matrix(VALUE_WEIGHT, 1, config.hiddenSize()), Slot.single(VALUE_BIAS, 1, 1));
  }

  static String loraA(String module) {
    return PEFT_PREFIX + module + ".lora_A.weight";
  }

  static String loraB(String module) {
    return PEFT_PREFIX + module + ".lora_B.weight";
  }

  boolean gpt2() {
    return config.architecture() == Architecture.GPT2;
  }

  String embedding() {
    return gpt2() ? "transformer.wte.weight" : ModelTensors.EMBEDDING;
  }

  String positions() {
    return "transformer.wpe.weight";
  }

  /** The slot of the output head's weights. */
  String head() {
    return config.tieEmbeddings() ? embedding() : ModelTensors.LM_HEAD;
  }

  String finalNorm() {
    return gpt2() ? "transformer.ln_f" : "model.norm";
  }

  String attentionNorm(int i) {
    return layer(i) + (gpt2() ? "ln_1" : "input_layernorm");
  }

  String mlpNorm(int i) {
    return layer(i) + (gpt2() ? "ln_2" : "post_attention_layernorm");
  }

  LinearLayout attentionIn(int i) {
    if (gpt2()) {
      return conv1d(layer(i) + "attn.c_attn", config.hiddenSize(), 3 * config.hiddenSize());
    }
    String attention = layer(i) + "self_attn.";
    return new LinearLayout(
        attention + "qkv",
        List.of(attention + "q_proj", attention + "k_proj", attention + "v_proj"),
        List.of(config.queryWidth(), config.kvWidth(), config.kvWidth()),
        config.hiddenSize(),
        config.attentionBias(),
        false);
  }

  LinearLayout attentionOut(int i) {
    if (gpt2()) {
      return conv1d(layer(i) + "attn.c_proj", config.hiddenSize(), config.hiddenSize());
    }
    return single(
        layer(i) + "self_attn.o_proj",
        config.queryWidth(),
        config.hiddenSize(),
        config.attentionBias());
  }

  LinearLayout mlpIn(int i) {
    if (gpt2()) {
      return conv1d(layer(i) + "mlp.c_fc", config.hiddenSize(), config.intermediateSize());
    }
    String mlp = layer(i) + "mlp.";
    return new LinearLayout(
        mlp + "gate_up",
        List.of(mlp + "gate_proj", mlp + "up_proj"),
        List.of(config.intermediateSize(), config.intermediateSize()),
        config.hiddenSize(),
        config.mlpBias(),
        false);
  }

  LinearLayout mlpOut(int i) {
    if (gpt2()) {
      return conv1d(layer(i) + "mlp.c_proj", config.intermediateSize(), config.hiddenSize());
    }
    return single(
        layer(i) + "mlp.down_proj",
        config.intermediateSize(),
        config.hiddenSize(),
        config.mlpBias());
  }

  private List<LinearLayout> linears(int i) {
    return List.of(attentionIn(i), attentionOut(i), mlpIn(i), mlpOut(i));
  }

  private String layer(int i) {
    return (gpt2() ? "transformer.h." : "model.layers.") + i + ".";
  }

  private static LinearLayout single(String module, int inputs, int outputs, boolean bias) {
    return new LinearLayout(module, List.of(module), List.of(outputs), inputs, bias, false);
  }

  private static LinearLayout conv1d(String module, int inputs, int outputs) {
    return new LinearLayout(module, List.of(module), List.of(outputs), inputs, true, true);
  }

  private void norm(List<Slot> slots, String module) {
    slots.add(Slot.single(module + ".weight", 1, config.hiddenSize()));
    if (gpt2()) {
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
