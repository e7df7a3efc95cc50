package dev.distillery.model.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.Activation;
import dev.distillery.model.format.Architecture;
import dev.distillery.model.format.LayerKind;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.RopeScaling;
import dev.distillery.model.train.LanguageModelHead;
import dev.distillery.model.train.NextTokenLoss;
import dev.distillery.model.train.Objective;
import dev.distillery.model.train.PolicyLoss;
import dev.distillery.model.train.PreferenceLoss;
import dev.distillery.model.train.RankingLoss;
import dev.distillery.model.train.SequenceHead;
import dev.distillery.model.train.Targets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * The hand-written backward pass against central differences (L(p + h) - L(p - h)) / 2h, in
 * float64: of every tensor an element, and a random direction, which no wrong element escapes.
 */
class CentralDifferencesTest {
  /** The error of a central difference is of order h^2 and of rounding / h: least about here. */
  private static final double STEP = 1e-5;

  /** Of an element's error, in root mean squares of its tensor's gradient. */
  private static final double TOLERANCE = 1e-6;

  private static final int ELEMENTS = 1;

  private static final ModelConfig LLAMA =
      ModelConfig.llama()
          .vocabSize(19)
          .hiddenSize(16)
          .intermediateSize(20)
          .layers(2)
          .heads(4)
          .kvHeads(2)
          .maxPositions(32)
          .tieEmbeddings(true)
          .build();
  private static final ModelConfig BIASED =
      LLAMA.toBuilder()
          .kvHeads(1)
          .tieEmbeddings(false)
          .attentionBias(true)
          .mlpBias(true)
          .ropeScaling(Optional.of(new RopeScaling.Llama3(4, 1, 4, 64)))
          .build();
  private static final ModelConfig GPT2 =
      ModelConfig.gpt2()
          .vocabSize(19)
          .hiddenSize(12)
          .layers(2)
          .heads(3)
          .maxPositions(16)
          .activation(Activation.GELU_TANH)
          .build();

  private static final ModelConfig GEMMA =
      ModelConfig.of(Architecture.GEMMA3)
          .vocabSize(19)
          .hiddenSize(16)
          .intermediateSize(20)
          .layers(2)
          .heads(4)
          .kvHeads(2)
          .headDim(6)
          .maxPositions(32)
          .tieEmbeddings(true)
          .window(3)
          .layerKinds(List.of(LayerKind.LOCAL, LayerKind.FULL))
          .localRopeTheta(500)
          .attentionScale(0.3)
          .build();

  private static ModelConfig as(Architecture architecture) {
    return ModelConfig.of(architecture)
        .vocabSize(19)
        .hiddenSize(12)
        .intermediateSize(20)
        .layers(2)
        .heads(3)
        .maxPositions(16)
        .embeddingScale(1.5)
        .residualScale(0.7)
        .logitScale(0.6)
        .build();
  }

  private static final List<String> LLAMA_LINEARS =
      List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");
  private static final List<String> GPT2_LINEARS = List.of("c_attn", "c_proj", "c_fc");

  private static final Batch BATCH =
      Batch.of(List.of(new int[] {3, 1, 4, 1, 5, 9, 2}, new int[] {6}, new int[] {5, 3, 5, 18}));
  private static final Batch ANSWERS =
      Batch.of(
          List.of(
              new int[] {3, 1, 4, 1, 5, 9, 2},
              new int[] {3, 1, 8},
              new int[] {3, 1, 4, 7},
              new int[] {5, 3, 5, 18},
              new int[] {5, 3, 17, 2, 2}));
  private static final Dropout DROPOUT = new Dropout(0.2, 0.3, 77);

  private record Case(
      String name,
      ModelConfig config,
      Optional<LoraConfig> lora,
      Dropout dropout,
      boolean recompute,
      Predicate<String> trained) {
    List<Slot> slots() {
      List<Slot> slots = new ArrayList<>(DecoderLayout.slots(config));
      lora.ifPresent(l -> slots.addAll(DecoderLayout.slots(config, l)));
      return slots;
    }

    @Override
    public String toString() {
      return name;
    }
  }

  private static Case whole(String name, ModelConfig config, Dropout dropout, boolean recompute) {
    return new Case(name, config, Optional.empty(), dropout, recompute, slot -> true);
  }

  private static Case adapted(
      String name, ModelConfig config, List<String> targets, Predicate<String> trained) {
    LoraConfig lora = new LoraConfig(3, 5, 0.3, targets);
    return new Case(name, config, Optional.of(lora), DROPOUT, false, trained);
  }

  /** Some tokens of the batch, which are targets too. */
  private static Case tokens(String name, ModelConfig config) {
    List<Integer> some = IntStream.of(BATCH.ids()).distinct().sorted().limit(4).boxed().toList();
    LoraConfig lora = new LoraConfig(3, 5, 0.3, List.of("v_proj"), some);
    return new Case(
        name, config, Optional.of(lora), DROPOUT, false, slot -> slot.startsWith("base_model."));
  }

  static List<Case> cases() {
    ModelConfig erf = GPT2.toBuilder().activation(Activation.GELU).build();
    return List.of(
        whole("LLaMA, tied", LLAMA, Dropout.NONE, false),
        whole("LLaMA, untied, biases, stretched positions", BIASED, Dropout.NONE, false),
        whole("LLaMA, dropout, recomputed", BIASED, DROPOUT, true),
        whole("GPT-2, tanh", GPT2, Dropout.NONE, false),
        whole("GPT-2, erf, dropout", erf, DROPOUT, false),
        whole("Gemma 3", GEMMA, Dropout.NONE, false),
        whole("Gemma 3, dropout, recomputed", GEMMA, DROPOUT, true),
        whole("GPT-1, scales, dropout, recomputed", as(Architecture.GPT1), DROPOUT, true),
        whole("OLMo 2, scales, dropout", as(Architecture.OLMO2), DROPOUT, false),
        adapted("Gemma 3, adapters", GEMMA, LLAMA_LINEARS, slot -> slot.contains("lora_")),
        adapted("LLaMA, adapters", LLAMA, LLAMA_LINEARS, slot -> slot.contains("lora_")),
        adapted("LLaMA, adapters and weights", BIASED, LLAMA_LINEARS, slot -> true),
        tokens("Gemma 3, adapters and rows of tokens", GEMMA),
        tokens("LLaMA, untied, adapters and rows of tokens", BIASED),
        adapted("GPT-2, adapters", GPT2, GPT2_LINEARS, slot -> slot.contains("lora_")),
        adapted("LLaMA, one layer", LLAMA, List.of("v_proj"), slot -> slot.contains("layers.1.")));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradientsOfTheLanguageModelAreItsSlopes(Case c) {
    try (Kernels kernels = new PortableKernels(DataType.DOUBLE);
        Parameters parameters =
            Parameters.allocate(kernels, c.slots(), slot -> c.trained.test(slot.name()));
        Decoder decoder = new Decoder(c.config, kernels, parameters, c.lora, c.recompute);
        LanguageModelHead head = new LanguageModelHead(decoder);
        NextTokenLoss loss = new NextTokenLoss(decoder)) {
      int[] targets = BATCH.nextTokens();
      int[] rows = IntStream.range(0, targets.length).filter(i -> targets[i] >= 0).toArray();
      int[] chosen = IntStream.of(rows).map(row -> targets[row]).toArray();
      assertSlopes(
          decoder,
          loss.objective(BATCH, Targets.of(targets), rows.length, c.dropout),
          d -> {
            double sum = 0;
            for (double p : head.logProbs(d.forward(BATCH, c.dropout), rows, chosen).logProbs()) {
              sum -= p;
            }
            return sum / rows.length;
          });
    }
  }

  @Test
  void gradientsOfScoresAreTheirSlopes() {
    ModelConfig config = LLAMA.toBuilder().labels(3).build();
    assertHeadSlopes(config, DecoderLayout.slots(config), false);
  }

  @Test
  void gradientsOfValuesAreTheirSlopes() {
    for (ModelConfig config : List.of(LLAMA, GPT2)) {
      List<Slot> slots = new ArrayList<>(DecoderLayout.slots(config));
      slots.addAll(DecoderLayout.valueHead(config));
      assertHeadSlopes(config, slots, true);
    }
  }

  /** The surrogate, the divergence and the entropy; values have a test of their own. */
  @Test
  void gradientsOfThePolicysLossAreItsSlopes() {
    var options = new PolicyLoss.Options(0.7, 0.2, 0.2, 0, 0.3, 0.2);
    int[] targets = BATCH.nextTokens();
    int[] rows = IntStream.range(0, targets.length).filter(i -> targets[i] >= 0).toArray();
    int[] ids = IntStream.of(rows).map(row -> targets[row]).toArray();
    List<Slot> slots = DecoderLayout.slots(LLAMA);
    try (Kernels kernels = new PortableKernels(DataType.DOUBLE);
        Parameters parameters = Parameters.allocate(kernels, slots, slot -> true);
        Decoder decoder = new Decoder(LLAMA, kernels, parameters, Optional.empty(), false);
        PolicyLoss loss = new PolicyLoss(decoder, options, Optional.empty());
        ParameterSpace unused = new ParameterSpace(kernels, slots)) {
      fill(parameters.trainable());
      float[] old = loss.say(BATCH, rows, ids).logProbs();
      float[] ref = old.clone();
      float[] advantages = new float[rows.length];
      for (int i = 0; i < rows.length; i++) {
        // Some ratios far beyond the clip, some within.
        old[i] += 0.8f * (CounterRandom.uniform(6, i) - 0.5f);
        ref[i] += CounterRandom.uniform(7, i) - 0.5f;
        advantages[i] = 2 * CounterRandom.uniform(8, i) - 1;
      }
      float[] none = new float[rows.length];
      var answers = new PolicyLoss.Answers(rows, ids, old, ref, none, advantages, none);
      assertSlopes(
          decoder,
          (d, gradients) -> loss.addGradient(BATCH, answers, rows.length, gradients).loss(options),
          d ->
              loss.addGradient(BATCH, answers, rows.length, new Gradients(kernels, unused))
                  .loss(options));
    }
  }

  /** Of a weighted sum of the outputs; a row may be read twice. */
  private static void assertHeadSlopes(ModelConfig config, List<Slot> slots, boolean value) {
    try (Kernels kernels = new PortableKernels(DataType.DOUBLE);
        Parameters parameters = Parameters.allocate(kernels, slots, slot -> true);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
        SequenceHead head = value ? SequenceHead.value(decoder) : SequenceHead.score(decoder)) {
      int[] rows = {6, 0, 7, 11, 6};
      String weight = value ? DecoderLayout.VALUE_WEIGHT : "score.weight";
      int labels = parameters.get(weight).rows();
      float[] factors = new float[rows.length * labels];
      for (int i = 0; i < factors.length; i++) {
        factors[i] = CounterRandom.uniform(5, i) - 0.5f;
      }
      ToDoubleFunction<Decoder> sum =
          d -> {
            Tensor hidden = d.forward(BATCH, DROPOUT);
            double[] outputs = outputs(parameters, weight, value, hidden, rows);
            float[] narrow = head.forward(hidden, rows);
            double result = 0;
            for (int i = 0; i < outputs.length; i++) {
              assertThat((double) narrow[i]).isCloseTo(outputs[i], within(1e-6));
              result += factors[i] * outputs[i];
            }
            return result;
          };
      Objective objective =
          (d, gradients) -> {
            Tensor hidden = d.forward(BATCH, DROPOUT);
            Tensor dHidden = kernels.tensor(hidden.rows(), hidden.columns());
            head.backward(dHidden, hidden, rows, factors, gradients);
            d.backward(dHidden, gradients);
            dHidden.memory().close();
            return 0;
          };
      assertSlopes(decoder, objective, sum);
    }
  }

  /** Three answers to a prompt in three pairs, and a pair of its own. */
  @Test
  void gradientsOfTheRankingLossAreItsSlopes() {
    ModelConfig config = LLAMA.toBuilder().labels(1).scoreBias(0.3).build();
    List<RankingLoss.Pair> pairs =
        List.of(
            new RankingLoss.Pair(0, 1, 0.4, 1.0 / 3),
            new RankingLoss.Pair(0, 2, 0, 1.0 / 3),
            new RankingLoss.Pair(1, 2, -0.2, 1.0 / 3),
            new RankingLoss.Pair(3, 4, 0, 1));
    try (Kernels kernels = new PortableKernels(DataType.DOUBLE);
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> true);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
        RankingLoss loss = new RankingLoss(decoder, 0.05)) {
      assertSlopes(
          decoder,
          loss.objective(ANSWERS, pairs, 2, Dropout.NONE, sums -> {}),
          d -> {
            Tensor hidden = d.forward(ANSWERS, Dropout.NONE);
            double[] scores =
                outputs(parameters, "score.weight", false, hidden, ANSWERS.lastTokens());
            for (int i = 0; i < scores.length; i++) {
              scores[i] += 0.3;
            }
            return RankingLoss.loss(scores, pairs, 0.05) / 2;
          });
    }
  }

  @ParameterizedTest
  @CsvSource({"SIGMOID, 0", "SIGMOID, 0.2", "HINGE, 0", "IPO, 0", "SIMPO, 0"})
  void gradientsOfThePreferenceLossAreItsSlopes(PreferenceLoss.Kind kind, double smoothing) {
    float[] weights = new float[ANSWERS.tokens()];
    for (int s = 0; s < ANSWERS.sequences(); s++) {
      Arrays.fill(weights, ANSWERS.starts()[s] + 1 + s % 2, ANSWERS.lastTokens()[s] + 1, 1);
    }
    List<PreferenceLoss.Pair> pairs =
        List.of(new PreferenceLoss.Pair(0, 1, -8, -9), new PreferenceLoss.Pair(3, 4, -12, -11.5));
    var options =
        new PreferenceLoss.Options(
            kind, 0.3, smoothing, kind == PreferenceLoss.Kind.SIMPO ? 0.2 : 0);
    try (Kernels kernels = new PortableKernels(DataType.DOUBLE);
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(LLAMA), slot -> true);
        Decoder decoder = new Decoder(LLAMA, kernels, parameters, Optional.empty(), false);
        PreferenceLoss loss = new PreferenceLoss(decoder, options)) {
      assertSlopes(
          decoder,
          loss.objective(ANSWERS, weights, pairs, 2, Dropout.NONE, sums -> {}),
          d -> loss.evaluate(ANSWERS, weights, pairs).loss() / 2);
    }
  }

  /** What the head computes, in float64, since its own outputs are float32. */
  private static double[] outputs(
      Parameters parameters, String weight, boolean value, Tensor hidden, int[] rows) {
    Tensor w = parameters.get(weight);
    double bias = value ? get(parameters.get(DecoderLayout.VALUE_BIAS), 0) : 0;
    double[] outputs = new double[rows.length * w.rows()];
    for (int i = 0; i < outputs.length; i++) {
      int row = rows[i / w.rows()];
      int label = i % w.rows();
      outputs[i] = bias;
      for (int c = 0; c < w.columns(); c++) {
        outputs[i] += get(hidden, row * w.columns() + c) * get(w, label * w.columns() + c);
      }
    }
    return outputs;
  }

  private static void assertSlopes(
      Decoder decoder, Objective objective, ToDoubleFunction<Decoder> loss) {
    Parameters parameters = decoder.parameters();
    fill(parameters.frozen());
    fill(parameters.trainable());
    try (ParameterSpace space =
        new ParameterSpace(decoder.kernels(), parameters.trainable().slots())) {
      Gradients gradients = new Gradients(decoder.kernels(), space);
      objective.addGradient(decoder, gradients);
      gradients.finish();
      for (Slot slot : space.slots()) {
        Tensor tensor = parameters.get(slot.name());
        Tensor gradient = space.slot(slot.name()).orElseThrow();
        assertThat(slopeError(tensor, gradient, () -> loss.applyAsDouble(decoder)))
            .as(slot.name())
            .isLessThan(TOLERANCE);
      }
    }
  }

  private interface Loss {
    double value();
  }

  /** The largest error of some elements and of a random direction, in root mean squares. */
  private static double slopeError(Tensor tensor, Tensor gradient, Loss loss) {
    int size = (int) tensor.size();
    double[] values = values(tensor);
    double[] analytic = values(gradient);
    double squares = 0;
    for (double g : analytic) {
      squares += g * g;
    }
    double scale = Math.sqrt(squares / size);
    assertThat(scale).isPositive();
    double largest = 0;
    for (int s = 0; s < Math.min(ELEMENTS, size); s++) {
      int at = (int) (CounterRandom.uniformDouble(s, size) * size);
      double[] direction = new double[size];
      direction[at] = 1;
      double slope = slope(tensor, values, direction, loss);
      largest = Math.max(largest, Math.abs(slope - analytic[at]) / scale);
    }
    double[] direction = new double[size];
    double expected = 0;
    for (int i = 0; i < size; i++) {
      direction[i] = CounterRandom.gaussian(size, i) / Math.sqrt(size);
      expected += direction[i] * analytic[i];
    }
    double slope = slope(tensor, values, direction, loss);
    return Math.max(largest, Math.abs(slope - expected) / scale);
  }

  private static double slope(Tensor tensor, double[] values, double[] direction, Loss loss) {
    move(tensor, values, direction, STEP);
    double above = loss.value();
    move(tensor, values, direction, -STEP);
    double below = loss.value();
    move(tensor, values, direction, 0);
    return (above - below) / (2 * STEP);
  }

  private static void move(Tensor tensor, double[] values, double[] direction, double step) {
    for (int i = 0; i < values.length; i++) {
      set(tensor, i, values[i] + step * direction[i]);
    }
  }

  /** Gains around one, everything else around zero, nothing near zero everywhere. */
  private static void fill(ParameterSpace space) {
    for (Slot slot : space.slots()) {
      Tensor tensor = space.slot(slot.name()).orElseThrow();
      boolean gain = !slot.decayed() && slot.name().endsWith(".weight");
      for (int i = 0; i < tensor.size(); i++) {
        double noise = CounterRandom.gaussian(slot.name().hashCode(), i);
        set(tensor, i, gain ? 1 + 0.3 * noise : 0.4 * noise);
      }
    }
  }

  private static double[] values(Tensor tensor) {
    return IntStream.range(0, (int) tensor.size()).mapToDouble(i -> get(tensor, i)).toArray();
  }

  private static double get(Tensor tensor, int at) {
    return ((NdMemory) tensor.memory()).get(tensor.offset() + at);
  }

  private static void set(Tensor tensor, int at, double value) {
    ((NdMemory) tensor.memory()).set(tensor.offset() + at, value);
  }
}
