package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.format.LayerShape.NormKind;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelConfigs;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every kernel set must pass: each family against transformers and peft, on tiny models whose
 * windows are shorter than their longest row (make_family_goldens.py).
 */
public abstract class FamilyParity {
  private static final int KEPT = 24;

  @TempDir Path temp;

  /** The kernels under test. */
  protected abstract Kernels kernels();

  private record Model(Golden golden, ModelConfig config, List<LoraConfig> lora) {
    List<int[]> rows() {
      return golden.sequences("ids", "lengths");
    }

    Optional<LoraConfig> adapters() {
      return lora.stream().findFirst();
    }
  }

  private Model model(String name, boolean adapters) throws IOException {
    Golden golden = Golden.read("families", name);
    Path file = temp.resolve("config.json");
    Files.write(file, golden.bytes("config.json"));
    ModelConfig config = ModelConfigs.read(file);
    LoraConfig lora = new LoraConfig(3, 6, 0, config.architecture().names().linears());
    return new Model(golden, config, adapters ? List.of(lora) : List.of());
  }

  private static Parameters parameters(Kernels kernels, Model model) {
    List<Slot> slots = new ArrayList<>(DecoderLayout.slots(model.config));
    model.adapters().ifPresent(l -> slots.addAll(DecoderLayout.slots(model.config, l)));
    Parameters parameters =
        Parameters.allocate(
            kernels, slots, slot -> model.lora.isEmpty() || slot.name().contains("lora_"));
    boolean plusOne = model.config.architecture().shape().norm() == NormKind.RMS_PLUS_ONE;
    for (ParameterSpace space : List.of(parameters.trainable(), parameters.frozen())) {
      for (Slot slot : space.slots()) {
        for (Slot.Part part : slot.parts()) {
          Tensor tensor = space.part(part.name()).orElseThrow();
          tensor.write(values(part.name(), (int) tensor.size(), plusOne ? 0 : 1));
        }
      }
    }
    return parameters;
  }

  /** The script's function of the same name. */
  private static float[] values(String name, int count, double gain) {
    CRC32 crc = new CRC32();
    crc.update(name.getBytes(StandardCharsets.UTF_8));
    boolean norm =
        name.endsWith("norm.weight") || (name.contains(".ln_") && name.endsWith("weight"));
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      int x = i * 0x9E3779B1 + (int) crc.getValue();
      x = (x ^ (x >>> 16)) * 0x85EBCA6B;
      x = (x ^ (x >>> 13)) * 0xC2B2AE35;
      double u = Integer.toUnsignedLong(x ^ (x >>> 16)) / 2147483648.0 - 1;
      values[i] = (float) (norm ? gain + 0.35 * u : 0.25 * u);
    }
    return values;
  }

  /** Every target of every row but its first two. */
  private static int[] targets(Batch batch) {
    int[] targets = batch.nextTokens();
    for (int start : batch.starts()) {
      targets[start] = -1;
      targets[start + 1] = -1;
    }
    return targets;
  }

  private static Objective objective(NextTokenLoss loss, Batch batch) {
    Targets targets = Targets.of(targets(batch));
    return loss.objective(batch, targets, targets.weight(), Dropout.NONE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen2-windows",
        "qwen2-tied",
        "qwen3",
        "qwen3-biases",
        "mistral",
        "mistral-no-window",
        "gemma3",
        "smollm3",
        "granite",
        "olmo2",
        "phi3",
        "qwen2-yarn",
        "mistral-yarn",
        "gpt1"
      })
  void logitsPackedAndCachedEqualTransformers(String name) throws IOException {
    Model model = model(name, false);
    double[] expected = model.golden.get("logits");
    int vocabulary = model.config.vocabSize();
    try (Kernels kernels = kernels();
        Parameters parameters = parameters(kernels, model);
        Decoder decoder = new Decoder(model.config, kernels, parameters, Optional.empty(), false)) {
      Batch batch = Batch.of(model.rows());
      Tensor logits = kernels.tensor(batch.tokens(), vocabulary);
      decoder.logits(logits, decoder.forward(batch, Dropout.NONE));
      assertThat(Golden.largestError(logits.toArray(), expected)).isLessThan(2e-5);

      try (var packed = decoder.pack();
          var cache = decoder.cache(batch.sequences(), 32)) {
        Tensor one = kernels.tensor(1, vocabulary);
        for (int s = 0; s < batch.sequences(); s++) {
          int[] row = model.rows().get(s);
          // A prompt in whole products, a few tokens at once, then one by one from packed weights.
          int[] cuts = {0, row.length / 2, Math.min(row.length, row.length / 2 + 3)};
          extend(decoder, cache, s, Arrays.copyOfRange(row, cuts[0], cuts[1]));
          extend(decoder, cache, s, Arrays.copyOfRange(row, cuts[1], cuts[2]));
          for (int i = cuts[2]; i < row.length; i++) {
            Tensor hidden = decoder.extend(cache, new int[] {s}, new int[][] {{row[i]}}, packed);
            decoder.logits(one, hidden, packed);
            int at = (batch.starts()[s] + i) * vocabulary;
            assertThat(
                    Golden.largestError(
                        one.toArray(), Arrays.copyOfRange(expected, at, at + vocabulary)))
                .as("row %d, token %d", s, i)
                .isLessThan(2e-5);
          }
        }
        one.memory().close();
      }
      logits.memory().close();
    }
  }

  private static void extend(
      Decoder decoder, dev.distillery.model.nn.KeyValueCache cache, int sequence, int[] tokens) {
    if (tokens.length > 0) {
      decoder.extend(cache, new int[] {sequence}, new int[][] {tokens}, null);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen2-windows",
        "qwen2-tied",
        "qwen3",
        "qwen3-biases",
        "mistral",
        "mistral-no-window",
        "gemma3",
        "smollm3",
        "granite",
        "olmo2",
        "phi3",
        "qwen2-yarn",
        "mistral-yarn",
        "gpt1"
      })
  void gradientsAndTwentyStepsEqualTransformersAndPeft(String name) throws IOException {
    for (boolean adapters : new boolean[] {false, true}) {
      Model model = model(name, adapters);
      String prefix = adapters ? "lora/" : "";
      AdamW.Options options = new AdamW.Options(0.9, 0.95, 1e-8, 0.1, 1);
      try (Kernels kernels = kernels();
          Parameters parameters = parameters(kernels, model);
          Decoder decoder =
              new Decoder(model.config, kernels, parameters, model.adapters(), !adapters);
          NextTokenLoss loss = new NextTokenLoss(decoder);
          AdamW optimizer = new AdamW(kernels, parameters.trainable(), options);
          Trainer trainer =
              new Trainer(
                  decoder, optimizer, new Schedule(Schedule.Kind.CONSTANT, 2e-3, 0, 1, 0))) {
        Batch batch = Batch.of(model.rows());
        trainer.gradient(objective(loss, batch), trainer.gradient());
        assertGradients(model.golden, prefix + "g/", trainer.gradient());
        for (int step = 0; step < 20; step++) {
          int[] ids = new int[16];
          for (int i = 0; i < ids.length; i++) {
            ids[i] = (int) model.golden.get("step_ids")[16 * step + i];
          }
          Batch rows = Batch.of(List.of(Arrays.copyOf(ids, 11), Arrays.copyOfRange(ids, 11, 16)));
          assertThat(trainer.step(List.of(objective(loss, rows))).loss())
              .as("%sloss of step %d", prefix, step)
              .isCloseTo(model.golden.get(prefix + "losses")[step], within(1e-4));
        }
      }
    }
  }

  private static void assertGradients(Golden golden, String prefix, ParameterSpace space) {
    String[] names =
        new String(golden.bytes(prefix + "names"), StandardCharsets.UTF_8).split("\n", -1);
    int parts = space.slots().stream().mapToInt(slot -> slot.parts().size()).sum();
    assertThat(names).hasSize(parts);
    for (int n = 0; n < names.length; n++) {
      float[] gradient = space.part(names[n]).orElseThrow().toArray();
      double norm = 0;
      for (float g : gradient) {
        norm += (double) g * g;
      }
      norm = Math.sqrt(norm);
      double expected = golden.get(prefix + "norms")[n];
      assertThat(norm).as(names[n]).isCloseTo(expected, within(1e-4 * expected + 1e-7));
      int stride = Math.max(1, gradient.length / KEPT);
      double scale = expected / Math.sqrt(gradient.length);
      for (int i = 0; i < KEPT && i * stride < gradient.length; i++) {
        assertThat((double) gradient[i * stride])
            .as("%s at %d", names[n], i * stride)
            .isCloseTo(golden.get(prefix + "some")[n * KEPT + i], within(1e-4 * scale + 1e-7));
      }
    }
  }
}
