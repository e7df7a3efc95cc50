package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every kernel set must pass: parity with transformers and peft on tiny random models. */
public abstract class DecoderParity {
  /** The kernels under test. */
  protected abstract Kernels kernels();

  static List<String> models() {
    return Golden.MODELS;
  }

  private Parameters parameters(Kernels kernels, Golden golden, ModelConfig config) {
    Parameters parameters = Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> true);
    golden.load("w/", parameters);
    return parameters;
  }

  /** Every target of every sequence but its first two. */
  private static Targets targets(Batch batch) {
    int[] targets = batch.nextTokens();
    for (int start : batch.starts()) {
      targets[start] = -1;
    }
    return Targets.of(targets);
  }

  /** Pitfall 5: padding and the positions behind it change no token's logits. */
  @ParameterizedTest
  @MethodSource("models")
  void logitsEqualTransformersPaddedLeftOrRightOrPacked(String name) {
    Golden golden = Golden.read(name);
    ModelConfig config = Golden.config(name);
    try (Kernels kernels = kernels();
        Parameters parameters = parameters(kernels, golden, config);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
        NextTokenLoss loss = new NextTokenLoss(decoder)) {
      Batch batch = Batch.of(golden.sequences("ids", "lengths"));
      Tensor logits = kernels.tensor(batch.tokens(), config.vocabSize());
      decoder.logits(logits, decoder.forward(batch, Dropout.NONE));
      for (String layout : List.of("right", "left", "packed")) {
        assertThat(Golden.largestError(logits.toArray(), golden.get(layout + "/logits")))
            .as(layout)
            .isLessThan(1e-5);
        assertThat(loss.evaluate(batch, targets(batch)).meanLoss())
            .as(layout)
            .isCloseTo(golden.scalar(layout + "/loss"), within(1e-5));
      }
      logits.memory().close();
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void gradientsEqualTransformersWithAndWithoutRecomputation(String name) {
    Golden golden = Golden.read(name);
    ModelConfig config = Golden.config(name);
    for (boolean recompute : new boolean[] {false, true}) {
      try (Kernels kernels = kernels();
          Parameters parameters = parameters(kernels, golden, config);
          Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), recompute);
          NextTokenLoss loss = new NextTokenLoss(decoder);
          AdamW optimizer = new AdamW(kernels, parameters.trainable(), AdamW.Options.defaults());
          Trainer trainer =
              new Trainer(decoder, optimizer, new Schedule(Schedule.Kind.CONSTANT, 0, 0, 1, 0))) {
        Batch batch = Batch.of(golden.sequences("ids", "lengths"));
        Targets targets = targets(batch);
        trainer.gradient(
            loss.objective(batch, targets, targets.weight(), Dropout.NONE), trainer.gradient());
        for (String parameter : golden.names("g/")) {
          Tensor gradient = trainer.gradient().part(parameter).orElseThrow();
          assertThat(Golden.relativeError(gradient.toArray(), golden.get("g/" + parameter)))
              .as(parameter)
              .isLessThan(1e-4);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void lossesOfTwentyStepsEqualPyTorch(String name) {
    Golden golden = Golden.read(name);
    ModelConfig config = Golden.config(name);
    AdamW.Options options = new AdamW.Options(0.9, 0.95, 1e-8, 0.1, 1);
    try (Kernels kernels = kernels();
        Parameters parameters = parameters(kernels, golden, config);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
        NextTokenLoss loss = new NextTokenLoss(decoder);
        AdamW optimizer = new AdamW(kernels, parameters.trainable(), options)) {
      for (int step = 0; step < 20; step++) {
        double rate = 3e-3 * Math.min(1, step / 4.0) * (1 - step / 40.0);
        Schedule schedule = new Schedule(Schedule.Kind.CONSTANT, rate, 0, 1, 0);
        try (Trainer trainer = new Trainer(decoder, optimizer, schedule)) {
          Batch batch = Batch.of(golden.sequences("step" + step + "/ids", "step_lengths"));
          Targets targets = targets(batch);
          Trainer.Step result =
              trainer.step(List.of(loss.objective(batch, targets, targets.weight(), Dropout.NONE)));
          assertThat(result.loss())
              .as("loss of step " + step)
              .isCloseTo(golden.get("losses")[step], within(1e-5));
          assertThat(result.gradNorm() / golden.get("norms")[step])
              .as("norm of step " + step)
              .isCloseTo(1, within(1e-4));
        }
      }
    }
  }

  @Test
  void adaptersEqualPeftAndMergeAsItDoes() {
    Golden golden = Golden.read("lora");
    ModelConfig config = Golden.config("lora");
    LoraConfig lora =
        new LoraConfig(4, 10, 0, List.of("q_proj", "v_proj", "o_proj", "gate_proj", "down_proj"));
    List<Slot> slots = new ArrayList<>(DecoderLayout.slots(config));
    slots.addAll(DecoderLayout.slots(config, lora));
    try (Kernels kernels = kernels();
        Parameters parameters =
            Parameters.allocate(kernels, slots, slot -> slot.name().contains("lora_"));
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.of(lora), false);
        NextTokenLoss loss = new NextTokenLoss(decoder);
        AdamW optimizer = new AdamW(kernels, parameters.trainable(), AdamW.Options.defaults());
        Trainer trainer =
            new Trainer(decoder, optimizer, new Schedule(Schedule.Kind.CONSTANT, 0, 0, 1, 0))) {
      golden.load("w/", parameters);
      golden.load("a/", parameters);
      Batch batch = Batch.of(golden.sequences("ids", "lengths"));
      Tensor logits = kernels.tensor(batch.tokens(), config.vocabSize());
      decoder.logits(logits, decoder.forward(batch, Dropout.NONE));
      assertThat(Golden.largestError(logits.toArray(), golden.get("logits"))).isLessThan(1e-5);

      Targets targets = targets(batch);
      double value =
          trainer.gradient(
              loss.objective(batch, targets, targets.weight(), Dropout.NONE), trainer.gradient());
      assertThat(value).isCloseTo(golden.scalar("loss"), within(1e-5));
      assertThat(golden.names("ga/")).hasSameSizeAs(trainer.gradient().slots());
      for (String name : golden.names("ga/")) {
        float[] gradient = trainer.gradient().part(name).orElseThrow().toArray();
        assertThat(Golden.relativeError(gradient, golden.get("ga/" + name)))
            .as(name)
            .isLessThan(1e-4);
      }

      decoder.mergeAdapters();
      decoder.enableAdapters(false);
      decoder.logits(logits, decoder.forward(batch, Dropout.NONE));
      assertThat(Golden.largestError(logits.toArray(), golden.get("merged/logits")))
          .isLessThan(1e-5);
      for (String name : golden.names("merged/w/")) {
        float[] merged = parameters.part(name).orElseThrow().toArray();
        assertThat(Golden.largestError(merged, golden.get("merged/w/" + name))).isLessThan(1e-6);
      }
      decoder.unmergeAdapters();
      for (String name : golden.names("w/")) {
        float[] restored = parameters.part(name).orElseThrow().toArray();
        assertThat(Golden.largestError(restored, golden.get("w/" + name))).isLessThan(1e-6);
      }
      logits.memory().close();
    }
  }

  /** -log sigmoid(chosen - rejected), scores read at the last tokens. */
  @Test
  void scoresAndTheirGradientEqualTransformers() {
    Golden golden = Golden.read("score");
    ModelConfig config = Golden.config("score");
    try (Kernels kernels = kernels();
        Parameters parameters = parameters(kernels, golden, config);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
        SequenceHead head = SequenceHead.score(decoder);
        AdamW optimizer = new AdamW(kernels, parameters.trainable(), AdamW.Options.defaults());
        Trainer trainer =
            new Trainer(decoder, optimizer, new Schedule(Schedule.Kind.CONSTANT, 0, 0, 1, 0))) {
      Batch batch = Batch.of(golden.sequences("ids", "lengths"));
      int[] last = {
        batch.starts()[0] + batch.counts()[0] - 1, batch.starts()[1] + batch.counts()[1] - 1
      };
      Objective ranking =
          (d, gradients) -> {
            Tensor hidden = d.forward(batch, Dropout.NONE);
            float[] scores = head.forward(hidden, last);
            assertThat(Golden.largestError(scores, golden.get("scores"))).isLessThan(1e-5);
            double sigmoid = 1 / (1 + Math.exp(scores[0] - scores[1]));
            Tensor dHidden = d.kernels().tensor(hidden.rows(), hidden.columns());
            float[] dScores = {(float) -sigmoid, (float) sigmoid};
            head.backward(dHidden, hidden, last, dScores, gradients);
            d.backward(dHidden, gradients);
            dHidden.memory().close();
            return Math.log1p(Math.exp(scores[1] - scores[0]));
          };
      assertThat(trainer.gradient(ranking, trainer.gradient()))
          .isCloseTo(golden.scalar("loss"), within(1e-5));
      for (String name : golden.names("g/")) {
        float[] gradient = trainer.gradient().part(name).orElseThrow().toArray();
        assertThat(Golden.relativeError(gradient, golden.get("g/" + name)))
            .as(name)
            .isLessThan(1e-4);
      }
    }
  }

  @Test
  void cachedDecodingGivesTheLogitsOfTheWholePass() {
    for (String name : Golden.MODELS) {
      Golden golden = Golden.read(name);
      ModelConfig config = Golden.config(name);
      try (Kernels kernels = kernels();
          Parameters parameters = parameters(kernels, golden, config);
          Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
          var cache = decoder.cache(3, 16);
          var packed = decoder.pack()) {
        List<int[]> sequences = golden.sequences("ids", "lengths");
        Tensor logits = kernels.tensor(1, config.vocabSize());
        int row = 0;
        for (int s = 0; s < sequences.size(); s++) {
          int[] tokens = sequences.get(s);
          int prompt = tokens.length / 2;
          decoder.extend(
              cache, new int[] {s}, new int[][] {java.util.Arrays.copyOf(tokens, prompt)}, null);
          for (int i = prompt; i < tokens.length; i++) {
            Tensor hidden = decoder.extend(cache, new int[] {s}, new int[][] {{tokens[i]}}, packed);
            decoder.logits(logits, hidden, packed);
            double[] expected =
                java.util.Arrays.copyOfRange(
                    golden.get("packed/logits"),
                    (row + i) * config.vocabSize(),
                    (row + i + 1) * config.vocabSize());
            assertThat(Golden.largestError(logits.toArray(), expected)).isLessThan(1e-5);
          }
          row += tokens.length;
        }
        logits.memory().close();
      }
    }
  }
}
