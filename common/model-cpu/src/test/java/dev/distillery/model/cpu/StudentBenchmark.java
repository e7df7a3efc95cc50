package dev.distillery.model.cpu;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelConfigs;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.Packed;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.GenerationOptions;
import dev.distillery.model.sample.Generator;
import dev.distillery.model.train.AdamW;
import dev.distillery.model.train.NextTokenLoss;
import dev.distillery.model.train.Schedule;
import dev.distillery.model.train.Targets;
import dev.distillery.model.train.Trainer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Runs one measurement per line of standard input and answers with tokens per second of wall time
 * and per second of processor time, so that a script can take turns between this and a peer. See
 * benchmarks/student/compare.py.
 */
public final class StudentBenchmark {
  private StudentBenchmark() {}

  private interface Work extends AutoCloseable {
    /** Does the work once and returns how many tokens it was. */
    int run() throws IOException;

    /** Bytes of what it has to hold at once: its parts, added up; 0 where nobody has counted. */
    default long parts() {
      return 0;
    }

    @Override
    void close();
  }

  /**
   * The word memory is answered with the peak of resident memory and the sum of its parts, in MB.
   *
   * <p>Arguments: train SHAPE BATCH LENGTH THREADS, lora FILE BATCH LENGTH THREADS, decode
   * SHAPE_OR_FILE BATCH TOKENS THREADS, or bandwidth - 1 1 THREADS and product TYPE 1 1 THREADS,
   * whose "tokens" are megabytes.
   */
  public static void main(String[] args) throws IOException {
    CpuKernels kernels = new CpuKernels(Integer.parseInt(args[4]));
    System.err.println(kernels.describe());
    int batch = Integer.parseInt(args[2]);
    int length = Integer.parseInt(args[3]);
    try (Work work =
            switch (args[0]) {
              case "train" -> {
                ModelConfig config = shape(args[1]);
                Parameters parameters = parameters(kernels, config, true);
                yield new Training(kernels, config, parameters, Optional.empty(), batch, length);
              }
              case "lora" -> lora(kernels, Path.of(args[1]), batch, length);
              case "decode" -> new Decoding(kernels, args[1], batch, length);
              case "bandwidth" -> new Bandwidth(kernels);
              case "product" -> new Product(kernels, TensorType.valueOf(args[1]));
              default -> throw new IllegalArgumentException("Unknown work " + args[0]);
            };
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.equals("memory")) {
          System.out.println(peakMegabytes() + " " + work.parts() / (1 << 20));
          continue;
        }
        long begin = System.nanoTime();
        long beginCpu = cpuNanos();
        int tokens = work.run();
        double seconds = (System.nanoTime() - begin) / 1e9;
        System.out.println(tokens / seconds + " " + tokens / ((cpuNanos() - beginCpu) / 1e9));
      }
    }
  }

  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
        .getProcessCpuTime();
  }

  private static long peakMegabytes() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream()
        .filter(l -> l.startsWith("VmHWM"))
        .mapToLong(l -> Long.parseLong(l.replaceAll("\\D", "")) / 1024)
        .findFirst()
        .orElse(-1);
  }

  private static ModelConfig shape(String name) {
    return switch (name) {
      case "4m" -> llama(4096, 256, 688, 4);
      case "tiny" -> llama(512, 64, 172, 2);
      default -> ModelConfigs.named(name);
    };
  }

  private static ModelConfig llama(int vocabulary, int width, int inner, int layers) {
    return ModelConfig.llama()
        .vocabSize(vocabulary)
        .hiddenSize(width)
        .intermediateSize(inner)
        .layers(layers)
        .heads(4)
        .tieEmbeddings(true)
        .build();
  }

  private static int[] tokens(int count, int vocabulary, int row) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = (int) (CounterRandom.uniformDouble(row, i) * vocabulary);
    }
    return tokens;
  }

  private static Parameters parameters(CpuKernels kernels, ModelConfig config, boolean trained) {
    Parameters parameters =
        Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> trained);
    Weights.initialise(trained ? parameters.trainable() : parameters.frozen(), config, 1);
    return parameters;
  }

  /** The job's default adapters, over weights in float32. */
  private static Training lora(CpuKernels kernels, Path file, int batch, int length)
      throws IOException {
    Optional<LoraConfig> lora =
        Optional.of(new LoraConfig(16, 32, 0.05, List.of("q_proj", "v_proj")));
    try (ModelFiles files = ModelFiles.open(file)) {
      ModelConfig config = files.config();
      Parameters parameters =
          Weights.open(
              config, kernels, files.weights(), Trainable.LORA, lora, FrozenForm.FLOAT32, 1);
      return new Training(kernels, config, parameters, lora, batch, length);
    }
  }

  private static final class Training implements Work {
    private final Parameters parameters;
    private final Decoder decoder;
    private final NextTokenLoss loss;
    private final AdamW optimizer;
    private final Trainer trainer;
    private final Batch batch;
    private final double adapterDropout;
    private final int rows;
    private final int length;
    private long step;

    Training(
        CpuKernels kernels,
        ModelConfig config,
        Parameters parameters,
        Optional<LoraConfig> lora,
        int rows,
        int length) {
      this.parameters = parameters;
      this.rows = rows;
      this.length = length;
      adapterDropout = lora.map(LoraConfig::dropout).orElse(0.0);
      decoder = new Decoder(config, kernels, parameters, lora, false);
      loss = new NextTokenLoss(decoder);
      optimizer = new AdamW(kernels, parameters.trainable(), AdamW.Options.defaults());
      trainer =
          new Trainer(decoder, optimizer, new Schedule(Schedule.Kind.CONSTANT, 1e-4, 0, 1, 0));
      List<int[]> sequences = new ArrayList<>();
      for (int i = 0; i < rows; i++) {
        sequences.add(tokens(length, config.vocabSize(), i));
      }
      batch = Batch.of(sequences);
    }

    /** Weights, gradient and moments, what the backward pass wants, and a piece of logits. */
    @Override
    public long parts() {
      long values = parameters.frozen().size() + 4 * parameters.trainable().size();
      return Float.BYTES * values
          + ModelEstimate.of(decoder.config()).activationBytes(rows, length, false);
    }

    @Override
    public int run() {
      Targets targets = Targets.next(batch);
      Dropout dropout = new Dropout(0, adapterDropout, step++);
      trainer.step(List.of(loss.objective(batch, targets, targets.weight(), dropout)));
      return batch.tokens();
    }

    @Override
    public void close() {
      trainer.close();
      optimizer.close();
      loss.close();
      decoder.close();
      parameters.close();
    }
  }

  private static final class Decoding implements Work {
    private final Decoder decoder;
    private final Generator generator;
    private final List<Generator.Prompt> prompts;
    private final GenerationOptions options;

    Decoding(CpuKernels kernels, String model, int rows, int length) throws IOException {
      if (Files.exists(Path.of(model))) {
        ModelFiles files = ModelFiles.open(Path.of(model));
        decoder = Weights.openForDecoding(files.config(), kernels, files.weights());
      } else {
        ModelConfig config = shape(model);
        Parameters parameters = parameters(kernels, config, false);
        decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
      }
      generator = new Generator(decoder, ids -> "");
      options = GenerationOptions.greedy(length, List.of());
      prompts = new ArrayList<>();
      for (int i = 0; i < rows; i++) {
        prompts.add(new Generator.Prompt(i, tokens(16, decoder.config().vocabSize(), i)));
      }
    }

    @Override
    public int run() {
      return generator.generate(prompts, options, prompts.size(), (row, token) -> {}).stream()
          .collect(Collectors.summingInt(r -> r.tokens().length));
    }

    @Override
    public void close() {
      generator.close();
      decoder.close();
    }
  }

  /** Multiplies one row with half a gigabyte of quantised weights. */
  private static final class Product implements Work {
    private static final int COLUMNS = 2048;
    private static final int ROWS = 1 << 18;

    private final CpuKernels kernels;
    private final Packed weights;
    private final Tensor in;
    private final Tensor out;

    Product(CpuKernels kernels, TensorType type) {
      this.kernels = kernels;
      int bytes = ROWS * (COLUMNS / type.blockValues()) * type.blockBytes();
      this.weights = kernels.pack(type, ROWS, COLUMNS, ByteBuffer.allocateDirect(bytes));
      this.in = kernels.tensor(1, COLUMNS);
      this.out = kernels.tensor(1, ROWS);
    }

    @Override
    public int run() {
      kernels.project(out, in, weights);
      return (int) (weights.bytes() / 1_000_000);
    }

    @Override
    public void close() {
      weights.close();
      in.memory().close();
      out.memory().close();
    }
  }

  /** Reads half a GiB. */
  private static final class Bandwidth implements Work {
    private final CpuKernels kernels;
    private final Tensor values;
    private final Tensor sum;

    Bandwidth(CpuKernels kernels) {
      this.kernels = kernels;
      this.values = kernels.tensor(1, 1 << 27);
      this.sum = kernels.tensor(1, 1);
      kernels.fill(values, 1);
    }

    @Override
    public int run() {
      kernels.sumOfSquares(sum, values);
      if (sum.toArray()[0] != 1 << 27) {
        throw new IllegalStateException("Ones do not sum to their count");
      }
      return (int) (values.size() * Float.BYTES / 1_000_000);
    }

    @Override
    public void close() {
      sum.memory().close();
      values.memory().close();
    }
  }
}
