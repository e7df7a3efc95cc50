package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.StoredWeights;
import dev.distillery.model.rl.Algorithm;
import dev.distillery.model.rl.Experience;
import dev.distillery.model.rl.KlController;
import dev.distillery.model.rl.KlEstimator;
import dev.distillery.model.rl.MissingEnd;
import dev.distillery.model.rl.RunningMoments;
import dev.distillery.model.rl.ScoreRules;
import dev.distillery.model.rl.ShapedRewards;
import dev.distillery.model.rl.Whitening;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What every kernel set must pass: one whole update of PPO, two epochs of two mini-batches, equals
 * a plain PyTorch transcription (make_ppo_goldens.py), every array and metric.
 */
public abstract class PolicyParity {
  private static final double TOLERANCE = 1e-4;
  private static final int MINI_BATCH = 4;
  private static final PolicyLoss.Options OPTIONS =
      new PolicyLoss.Options(0.7, 0.2, 0.2, 0.1, 0.01, 0);
  private static final Experience.Settings SETTINGS =
      new Experience.Settings(
          Algorithm.PPO, KlEstimator.K1, 1, 0.95, false, true, Whitening.BESSEL);

  private Golden golden = Golden.read("training", "ppo");
  private final List<int[]> prompts = golden.sequences("prompts", "prompt_lengths");
  private final List<int[]> answers = golden.sequences("answers", "answer_lengths");

  /** The kernels under test. */
  protected abstract Kernels kernels();

  private static float[] narrow(double[] values) {
    float[] narrow = new float[values.length];
    for (int i = 0; i < narrow.length; i++) {
      narrow[i] = (float) values[i];
    }
    return narrow;
  }

  /** Some answers behind their prompts. */
  private Batch batch(int[] chosen) {
    List<int[]> sequences = new ArrayList<>();
    for (int i : chosen) {
      int[] whole = Arrays.copyOf(prompts.get(i), prompts.get(i).length + answers.get(i).length);
      System.arraycopy(answers.get(i), 0, whole, prompts.get(i).length, answers.get(i).length);
      sequences.add(whole);
    }
    return Batch.of(sequences);
  }

  private int[] rows(int[] chosen) {
    IntStream.Builder rows = IntStream.builder();
    int start = 0;
    for (int i : chosen) {
      for (int t = 0; t < answers.get(i).length; t++) {
        rows.add(start + prompts.get(i).length - 1 + t);
      }
      start += prompts.get(i).length + answers.get(i).length;
    }
    return rows.build().toArray();
  }

  private int[] ids(int[] chosen) {
    return Arrays.stream(chosen).flatMap(i -> Arrays.stream(answers.get(i))).toArray();
  }

  /** The part of each answer, cut from an array over all. */
  private List<float[]> parts(float[] all) {
    List<float[]> parts = new ArrayList<>();
    int at = 0;
    for (int[] answer : answers) {
      parts.add(Arrays.copyOfRange(all, at, at + answer.length));
      at += answer.length;
    }
    return parts;
  }

  private static float[] joined(int[] chosen, Function<Integer, float[]> part) {
    int size = 0;
    for (int i : chosen) {
      size += part.apply(i).length;
    }
    float[] all = new float[size];
    int at = 0;
    for (int i : chosen) {
      System.arraycopy(part.apply(i), 0, all, at, part.apply(i).length);
      at += part.apply(i).length;
    }
    return all;
  }

  private void same(String name, double[] actual) {
    assertThat(actual).as(name).containsExactly(golden.get(name), within(TOLERANCE));
  }

  private void same(String name, float[] actual) {
    double[] wide = new double[actual.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = actual[i];
    }
    same(name, wide);
  }

  private float[] referenceLogProbs(Kernels kernels, ModelConfig config, int[] all) {
    try (Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> false);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
        PolicyLoss loss = new PolicyLoss(decoder, OPTIONS, Optional.empty())) {
      golden.load("ref/", parameters);
      return loss.say(batch(all), rows(all), ids(all)).logProbs();
    }
  }

  private List<Experience.Lesson> lessons(PolicyLoss.Said said, float[] reference) {
    var rules = new ScoreRules(0, ScoreRules.Scaling.OFF, 2, MissingEnd.REPLACE, 1);
    List<Experience.Answer> rollout = new ArrayList<>();
    double[] learned = new double[answers.size()];
    for (int i = 0; i < answers.size(); i++) {
      learned[i] =
          rules.apply(golden.get("scores")[i], golden.get("ended")[i] == 1, new RunningMoments());
      rollout.add(
          new Experience.Answer(
              i,
              parts(said.logProbs()).get(i),
              parts(reference).get(i),
              parts(said.values()).get(i),
              learned[i]));
    }
    same("learned_scores", learned);
    return Experience.of(rollout, SETTINGS, 0.1);
  }

  private static double[] flat(
      List<Experience.Lesson> lessons, Function<Experience.Lesson, double[]> array) {
    return lessons.stream().flatMapToDouble(l -> Arrays.stream(array.apply(l))).toArray();
  }

  private static Parameters parameters(Kernels kernels, ModelConfig config, boolean values) {
    List<Slot> slots = new ArrayList<>(DecoderLayout.slots(config));
    if (values) {
      slots.addAll(DecoderLayout.valueHead(config));
    }
    return Parameters.allocate(kernels, slots, slot -> true);
  }

  /** Of the policy, and of the one whose values count: itself, or a network of its own. */
  private static List<AdamW> optimizers(Kernels kernels, ParameterSpace trained, boolean network) {
    var options = new AdamW.Options(0.9, 0.999, 1e-5, 0, 1);
    return parts(trained, network).stream().map(part -> new AdamW(kernels, part, options)).toList();
  }

  private static List<ParameterSpace> parts(ParameterSpace space, boolean network) {
    return network
        ? List.of(
            space.without(DecoderLayout.VALUE_NETWORK), space.within(DecoderLayout.VALUE_NETWORK))
        : List.of(space);
  }

  private static Decoder decoder(Kernels kernels, ModelConfig config, ParameterSpace trained) {
    var none = new ParameterSpace(kernels, List.of());
    var parameters = new Parameters(trained, none, StoredWeights.none());
    return new Decoder(config, kernels, parameters, Optional.empty(), false);
  }

  @ParameterizedTest
  @CsvSource({"ppo, false", "ppo-value-network, true"})
  void oneUpdateEqualsATranscriptionInTorch(String file, boolean network) {
    golden = Golden.read("training", file);
    ModelConfig config = Golden.config("llama-gqa31-tied");
    ModelConfig scoring = network ? config.toBuilder().labels(1).build() : config;
    int[] all = IntStream.range(0, answers.size()).toArray();
    try (Kernels kernels = kernels();
        Parameters policy = parameters(kernels, config, !network);
        Parameters beside = parameters(kernels, scoring, true);
        ParameterSpace trained =
            ParameterSpace.joined(
                kernels,
                policy.trainable(),
                DecoderLayout.VALUE_NETWORK,
                network ? beside.trainable() : beside.frozen());
        Decoder decoder = decoder(kernels, config, trained.without(DecoderLayout.VALUE_NETWORK));
        Decoder critic =
            network
                ? decoder(kernels, scoring, trained.within(DecoderLayout.VALUE_NETWORK))
                : decoder;
        PolicyLoss loss = new PolicyLoss(decoder, OPTIONS, Optional.of(critic));
        ParameterSpace gradient = new ParameterSpace(kernels, trained.slots())) {
      List<AdamW> optimizers = optimizers(kernels, trained, network);
      Golden.read("llama-gqa31-tied").load("w/", decoder.parameters());
      Parameters valued = critic.parameters();
      golden.load("value/", valued);
      valued
          .get(network ? ModelTensors.SCORE : DecoderLayout.VALUE_WEIGHT)
          .write(narrow(golden.get("value_weight")));
      valued.get(DecoderLayout.VALUE_BIAS).write(narrow(golden.get("value_bias")));
      PolicyLoss.Said said = loss.say(batch(all), rows(all), ids(all));
      float[] reference = referenceLogProbs(kernels, config, all);
      same("old", said.logProbs());
      same("entropies", said.entropies());
      same("values", said.values());
      same("ref_logprobs", reference);
      List<Experience.Lesson> lessons = lessons(said, reference);
      same("kl", flat(lessons, Experience.Lesson::kl));
      same("rewards", flat(lessons, Experience.Lesson::rewards));
      same("advantages", flat(lessons, Experience.Lesson::advantages));
      same("returns", flat(lessons, Experience.Lesson::returns));
      same("whitened", flat(lessons, Experience.Lesson::used));
      assertController(lessons);
      int[] orders = Arrays.stream(golden.get("orders")).mapToInt(i -> (int) i).toArray();
      for (int step = 0; step * MINI_BATCH < orders.length; step++) {
        int[] chosen = Arrays.copyOfRange(orders, step * MINI_BATCH, (step + 1) * MINI_BATCH);
        var tokens =
            new PolicyLoss.Answers(
                rows(chosen),
                ids(chosen),
                joined(chosen, parts(said.logProbs())::get),
                joined(chosen, parts(reference)::get),
                joined(chosen, parts(said.values())::get),
                joined(chosen, i -> narrow(lessons.get(i).used())),
                joined(chosen, i -> narrow(lessons.get(i).returns())));
        Gradients gradients = new Gradients(kernels, gradient);
        PolicySums sums = loss.addGradient(batch(chosen), tokens, tokens.rows().length, gradients);
        gradients.finish();
        List<ParameterSpace> own = parts(gradient, network);
        List<Double> norms = new ArrayList<>();
        for (int i = 0; i < own.size(); i++) {
          norms.add(optimizers.get(i).norm(own.get(i)));
          optimizers.get(i).step(own.get(i), norms.get(i), 5e-3);
        }
        assertMetrics(step, sums, norms);
      }
      optimizers.forEach(AdamW::close);
      PolicyLoss.Said after = loss.say(batch(all), rows(all), ids(all));
      same("after", after.logProbs());
      same("after_values", after.values());
    }
  }

  private void assertController(List<Experience.Lesson> lessons) {
    double mean =
        lessons.stream().mapToDouble(l -> ShapedRewards.sum(l.kl())).average().orElseThrow();
    assertThat(mean).isCloseTo(golden.scalar("mean_kl"), within(TOLERANCE));
    var controller = new KlController(KlController.Kind.ADAPTIVE, 0.1, 6, 10_000);
    controller.update(mean, lessons.size());
    assertThat(controller.coefficient()).isCloseTo(golden.scalar("next_beta"), within(1e-8));
  }

  /** Pitfall 7: the ratio of the first mini-batch is 1 and its divergence from itself 0. */
  private void assertMetrics(int step, PolicySums sums, List<Double> norms) {
    Map<String, Double> metrics = sums.metrics(OPTIONS, true);
    metrics.put("grad_norm", norms.get(0));
    metrics.put("ppo/val/grad_norm", norms.get(norms.size() - 1));
    for (String name : golden.names("m/")) {
      double actual = metrics.get(name.replace(".", "/"));
      assertThat(actual)
          .as(name + " of mini-batch " + step)
          .isCloseTo(golden.get("m/" + name)[step], within(TOLERANCE));
    }
    if (step == 0) {
      assertThat(metrics.get("ppo/policy/ratio")).isCloseTo(1, within(1e-5));
      assertThat(metrics.get("ppo/policy/approxkl")).isCloseTo(0, within(1e-9));
    }
  }
}
