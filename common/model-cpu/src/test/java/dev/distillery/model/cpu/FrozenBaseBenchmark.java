package dev.distillery.model.cpu;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.BlockCodec;
import dev.distillery.model.format.HalfFloat;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelConfigs;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.train.AdamW;
import dev.distillery.model.train.NextTokenLoss;
import dev.distillery.model.train.Schedule;
import dev.distillery.model.train.Targets;
import dev.distillery.model.train.Trainer;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SplittableRandom;
import java.util.TreeMap;

/**
 * Trains adapters over a base in one form and prints, as a line of JSON, losses, seconds a step and
 * peak memory. See benchmarks/training/frozen-base.
 */
public final class FrozenBaseBenchmark {
  private FrozenBaseBenchmark() {}

  /** Arguments: SHAPE_OR_FILE FORM STEPS TOKENS THREADS. A shape's weights are random blocks. */
  public static void main(String[] args) throws IOException {
    FrozenForm form = FrozenForm.valueOf(args[1].toUpperCase(Locale.ROOT).replace('-', '_'));
    int steps = Integer.parseInt(args[2]);
    int tokens = Integer.parseInt(args[3]);
    int threads = Integer.parseInt(args[4]);
    Path file = Path.of(args[0]);
    if (Files.exists(file)) {
      try (ModelFiles files = ModelFiles.open(file)) {
        train(files.config(), files.weights(), form, steps, tokens, threads);
      }
    } else {
      ModelConfig config = shape(args[0]);
      train(config, new RandomBlocks(config), form, steps, tokens, threads);
    }
  }

  private static ModelConfig shape(String name) {
    if (!name.startsWith("llama-7b")) {
      return ModelConfigs.named(name);
    }
    String layers = name.substring("llama-7b".length()).replace("x", "");
    return ModelConfig.llama()
        .vocabSize(32_000)
        .hiddenSize(4096)
        .intermediateSize(11_008)
        .layers(layers.isEmpty() ? 32 : Integer.parseInt(layers))
        .heads(32)
        .maxPositions(2048)
        .tieEmbeddings(false)
        .build();
  }

  private static void train(
      ModelConfig config, WeightSource source, FrozenForm form, int steps, int tokens, int threads)
      throws IOException {
    LoraConfig lora = new LoraConfig(16, 32, 0.05, List.of("q_proj", "v_proj"));
    AdamW.Options adam = AdamW.Options.defaults();
    Schedule schedule = new Schedule(Schedule.Kind.CONSTANT, 1e-3, 0, 1, 0);
    StringBuilder losses = new StringBuilder();
    try (CpuKernels kernels = new CpuKernels(threads);
        Parameters parameters =
            Weights.open(config, kernels, source, Trainable.LORA, Optional.of(lora), form, 1);
        Decoder decoder = new Decoder(config, kernels, parameters, Optional.of(lora), true);
        NextTokenLoss loss = new NextTokenLoss(decoder);
        AdamW optimizer = new AdamW(kernels, parameters.trainable(), adam);
        Trainer trainer = new Trainer(decoder, optimizer, schedule)) {
      int[] ids = new int[tokens];
      Arrays.setAll(ids, i -> (int) (CounterRandom.uniformDouble(5, i) * config.vocabSize()));
      Batch batch = Batch.of(List.of(ids));
      Targets targets = Targets.next(batch);
      long begin = System.nanoTime();
      for (int step = 0; step < steps; step++) {
        Dropout dropout = new Dropout(0, lora.dropout(), step);
        double value =
            trainer.step(List.of(loss.objective(batch, targets, targets.weight(), dropout))).loss();
        losses.append(step == 0 ? "" : ", ").append(value);
      }
      double seconds = (System.nanoTime() - begin) / 1e9 / steps;
      System.out.printf(
          Locale.ROOT,
          "{\"form\": \"%s\", \"losses\": [%s], \"seconds_per_step\": %.2f, \"stored_mb\": %d,"
              + " \"peak_mb\": %d}%n",
          form,
          losses,
          seconds,
          parameters.stored().bytes() >> 20,
          peakMegabytes());
    }
  }

  private static long peakMegabytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(l -> l.startsWith("VmHWM"))
        .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024)
        .findFirst()
        .orElse(-1);
  }

  /** Q4_0 blocks of random numbers with scales as trained models have them, and gains of 1. */
  private static final class RandomBlocks implements WeightSource {
    private final SortedMap<String, Weight> weights = new TreeMap<>();

    RandomBlocks(ModelConfig config) {
      for (TensorSpec spec : ModelTensors.of(config)) {
        boolean matrix = spec.shape().size() == 2;
        weights.put(spec.name(), new Weight(spec, matrix ? TensorType.Q4_0 : TensorType.F32));
      }
    }

    @Override
    public SortedMap<String, Weight> weights() {
      return Collections.unmodifiableSortedMap(weights);
    }

    @Override
    public void read(String name, long start, FloatBuffer into) throws IOException {
      Weight weight = weight(name);
      if (weight.type() == TensorType.F32) {
        while (into.hasRemaining()) {
          into.put(1);
        }
        return;
      }
      int columns = weight.spec().columns();
      ByteBuffer blocks = rows(name, (int) (start / columns), into.remaining() / columns);
      BlockCodec.decode(TensorType.Q4_0, blocks, 0, into);
    }

    @Override
    public ByteBuffer rows(String name, int firstRow, int count) throws IOException {
      Weight weight = weight(name);
      int bytes = Math.toIntExact(TensorType.Q4_0.bytes((long) count * weight.spec().columns()));
      byte[] values = new byte[bytes];
      new SplittableRandom(name.hashCode()).nextBytes(values);
      ByteBuffer blocks = ByteBuffer.wrap(values).order(ByteOrder.LITTLE_ENDIAN);
      short scale = HalfFloat.fromFloat(0.004f);
      for (int at = 0; at < bytes; at += TensorType.Q4_0.blockBytes()) {
        blocks.putShort(at, scale);
      }
      return blocks;
    }

    private Weight weight(String name) throws ModelFileException {
      Weight weight = weights.get(name);
      if (weight == null) {
        throw new ModelFileException("No tensor " + name);
      }
      return weight;
    }

    @Override
    public void close() {}
  }
}
