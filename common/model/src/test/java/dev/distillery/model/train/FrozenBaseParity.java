package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.Architecture;
import dev.distillery.model.format.BlockCodec;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.PackedWeights;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Stored;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every kernel set must pass: adapters over a base in the form of its file, and rows of some
 * tokens beside them, train as over the same weights in float32, and the base is not written.
 */
public abstract class FrozenBaseParity {
  private static final int STEPS = 5;

  /** The kernels under test. */
  protected abstract Kernels kernels();

  @TempDir Path directory;

  private Path model(String name) throws IOException {
    if (name.endsWith(".gguf")) {
      return Golden.copy("format/" + name, directory);
    }
    Path copy = Files.createDirectories(directory.resolve(name));
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.copy(Golden.copy("format/" + name + "/" + file, directory), copy.resolve(file));
    }
    return copy;
  }

  private static LoraConfig lora(ModelConfig config) {
    return new LoraConfig(
        4,
        8,
        0.1,
        config.architecture() == Architecture.GPT2
            ? List.of("c_attn", "c_proj", "c_fc")
            : List.of("q_proj", "k_proj", "v_proj", "o_proj", "up_proj", "down_proj"),
        List.of(1, 2, 5));
  }

  /** Losses, gradient norms, and the adapters after the last step. */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  private record Run(List<Trainer.Step> steps, float[] adapters) {}

  private Run train(Path model, FrozenForm form, boolean recompute) throws IOException {
    List<Trainer.Step> steps = new ArrayList<>();
    try (ModelFiles files = ModelFiles.open(model);
        Kernels kernels = kernels();
        Parameters parameters = open(files, kernels, form);
        Decoder decoder =
            new Decoder(
                files.config(), kernels, parameters, Optional.of(lora(files.config())), recompute);
        NextTokenLoss loss = new NextTokenLoss(decoder);
        AdamW optimizer = new AdamW(kernels, parameters.trainable(), AdamW.Options.defaults());
        Trainer trainer =
            new Trainer(decoder, optimizer, new Schedule(Schedule.Kind.CONSTANT, 1e-2, 0, 1, 0))) {
      assertThat(parameters.stored().bytes() == 0).isEqualTo(form == FrozenForm.FLOAT32);
      for (int step = 0; step < STEPS; step++) {
        Batch batch = batch(files.config(), step);
        Targets targets = Targets.next(batch);
        Dropout dropout = new Dropout(0.1, 0.1, step);
        steps.add(trainer.step(List.of(loss.objective(batch, targets, targets.weight(), dropout))));
      }
      float[] adapters = new float[(int) parameters.trainable().size()];
      parameters.trainable().read(0, adapters, adapters.length);
      assertDecodes(decoder, batch(files.config(), 0));
      if (form != FrozenForm.FLOAT32) {
        assertThatThrownBy(decoder::mergeAdapters)
            .hasMessageContaining("stay in the form of their file and cannot change");
      }
      return new Run(steps, adapters);
    }
  }

  private static Parameters open(ModelFiles files, Kernels kernels, FrozenForm form)
      throws IOException {
    Optional<LoraConfig> lora = Optional.of(lora(files.config()));
    return Weights.open(files.config(), kernels, files.weights(), Trainable.LORA, lora, form, 3);
  }

  private static Batch batch(ModelConfig config, int step) {
    List<int[]> sequences = new ArrayList<>();
    for (int length : new int[] {9, 1, 14}) {
      int[] tokens = new int[length];
      int at = step * 100 + length;
      Arrays.setAll(tokens, i -> (int) (CounterRandom.uniformDouble(at, i) * config.vocabSize()));
      sequences.add(tokens);
    }
    return Batch.of(sequences);
  }

  /** Decoding with the trained adapters gives the logits of the training pass. */
  private static void assertDecodes(Decoder decoder, Batch batch) {
    ModelConfig config = decoder.config();
    int[] tokens = Arrays.copyOf(batch.ids(), batch.counts()[0]);
    Kernels kernels = decoder.kernels();
    Tensor expected = kernels.tensor(tokens.length, config.vocabSize());
    Tensor logits = kernels.tensor(tokens.length, config.vocabSize());
    decoder.logits(expected, decoder.forward(Batch.of(List.of(tokens)), Dropout.NONE));
    try (PackedWeights packed = decoder.pack();
        var cache = decoder.cache(1, tokens.length)) {
      Tensor hidden = decoder.extend(cache, new int[] {0}, new int[][] {tokens}, packed);
      decoder.logits(logits, hidden, packed);
    }
    float[] values = expected.toArray();
    double[] wide = new double[values.length];
    Arrays.setAll(wide, i -> values[i]);
    assertThat(Golden.largestError(logits.toArray(), wide)).isLessThan(1e-5);
    expected.memory().close();
    logits.memory().close();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama-q4_0.gguf",
        "llama-q5_1.gguf",
        "llama-q8_0.gguf",
        "llama-bf16.gguf",
        "llama-f16.gguf",
        "gpt2-bf16",
        "llama-tied-bf16"
      })
  void adaptersOverTheFilesOwnFormTrainAsOverFloat32(String name) throws IOException {
    Path model = model(name);
    Path file = Files.isDirectory(model) ? model.resolve("model.safetensors") : model;
    byte[] before = Files.readAllBytes(file);
    Run wide = train(model, FrozenForm.FLOAT32, false);
    assertSame(train(model, FrozenForm.AS_STORED, false), wide, 1e-5);
    assertSame(train(model, FrozenForm.AS_STORED, true), wide, 1e-5);
    if (name.contains("bf16")) {
      assertSame(train(model, FrozenForm.BFLOAT16, false), wide, 1e-5);
    }
    assertThat(Files.readAllBytes(file)).isEqualTo(before);
    assertThat(wide.steps.get(STEPS - 1).loss()).isNotEqualTo(wide.steps.get(0).loss());
  }

  /** Rounded to 8 bits, a weight moves by 1/512 of itself, and the loss by a little. */
  @Test
  void bfloat16RoundsABaseOfMoreBits() throws IOException {
    Path model = model("llama-f32.gguf");
    assertThatThrownBy(() -> train(model, FrozenForm.AS_STORED, false))
        .as("a float32 file stays float32")
        .isInstanceOf(AssertionError.class);
    assertSame(
        train(model, FrozenForm.BFLOAT16, false), train(model, FrozenForm.FLOAT32, false), 2e-2);
  }

  private static void assertSame(Run actual, Run expected, double tolerance) {
    for (int i = 0; i < STEPS; i++) {
      assertThat(actual.steps.get(i).loss())
          .as("loss of step " + i)
          .isCloseTo(expected.steps.get(i).loss(), within(tolerance));
      assertThat(actual.steps.get(i).gradNorm() / expected.steps.get(i).gradNorm())
          .as("gradient norm of step " + i)
          .isCloseTo(1, within(10 * tolerance));
    }
    assertThat(actual.adapters).hasSameSizeAs(expected.adapters);
  }

  /** The values are those that ggml's reference wrote. */
  @ParameterizedTest
  @EnumSource(
      value = TensorType.class,
      names = {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K", "F16", "BF16"})
  void widenedRowsHaveTheValuesOfTheReference(TensorType type) throws IOException {
    boolean half = !type.quantised();
    String stem = half ? "round." + type.name().toLowerCase(Locale.ROOT) : type + ".blocks";
    ByteBuffer bytes =
        ByteBuffer.wrap(Files.readAllBytes(Golden.copy("format/blocks/" + stem, directory)));
    float[] expected = new float[bytes.remaining() / type.blockBytes() * type.blockValues()];
    if (half) {
      BlockCodec.decode(
          type, bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN), 0, FloatBuffer.wrap(expected));
    } else {
      ByteBuffer.wrap(Files.readAllBytes(Golden.copy("format/blocks/" + type + ".f32", directory)))
          .order(ByteOrder.LITTLE_ENDIAN)
          .asFloatBuffer()
          .get(expected);
    }
    int columns = type.blockValues() == 1 ? 19 : type.blockValues();
    int rows = expected.length / columns;
    ByteBuffer used = bytes.slice(0, (int) type.bytes((long) rows * columns));
    try (Kernels kernels = kernels();
        Stored stored = kernels.store(type, rows, columns, used)) {
      Tensor out = kernels.tensor(rows, columns + 3).columns(2, columns);
      kernels.widen(out.rows(1, rows - 1), stored, 1);
      kernels.widen(out.rows(0, 1), stored, 0);
      float[] values = out.toArray();
      for (int i = 0; i < values.length; i++) {
        boolean same = Float.compare(values[i] + 0f, expected[i] + 0f) == 0;
        assertThat(same).as("value %d: %s, not %s", i, values[i], expected[i]).isTrue();
      }
      out.memory().close();
    }
  }
}
