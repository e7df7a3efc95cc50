package dev.distillery.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.ChildJvm;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.PortableKernels;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.GenerationOptions;
import dev.distillery.model.sample.Generator;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two models in one JVM, and two JVMs that start together on one host. */
@Timeout(180)
class TwoModelsIT {
  private static final int LENGTH = 60;

  @TempDir Path temp;

  private static int[] write(Kernels kernels, int width, long seed) {
    ModelConfig config =
        ModelConfig.llama()
            .vocabSize(512)
            .hiddenSize(width)
            .intermediateSize(2 * width)
            .layers(2)
            .heads(4)
            .maxPositions(128)
            .initializerRange(0.3)
            .build();
    try (kernels;
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> false)) {
      Weights.initialise(parameters.frozen(), config, seed);
      try (Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
          Generator generator = new Generator(decoder, Arrays::toString)) {
        GenerationOptions options = GenerationOptions.greedy(LENGTH, List.of());
        List<Generator.Prompt> prompts = List.of(new Generator.Prompt(0, new int[] {1, 2, 3}));
        return generator.generate(prompts, options, 1, (row, token) -> {}).get(0).tokens();
      }
    }
  }

  @Test
  void twoModelsAtWorkInOneJvmWriteWhatEachWritesAlone() throws Exception {
    List<Callable<int[]>> models =
        List.of(
            () -> write(new CpuKernels(2), 64, 1),
            () -> write(new CpuKernels(2), 96, 2),
            () -> write(new PortableKernels(), 64, 3));
    List<int[]> alone = new ArrayList<>();
    for (Callable<int[]> model : models) {
      alone.add(model.call());
    }
    assertThat(alone.get(0)).hasSize(LENGTH).isNotEqualTo(alone.get(1));
    ExecutorService threads = Executors.newFixedThreadPool(models.size());
    try {
      for (int round = 0; round < 3; round++) {
        List<Future<int[]>> together = threads.invokeAll(models);
        for (int m = 0; m < models.size(); m++) {
          assertThat(together.get(m).get()).isEqualTo(alone.get(m));
        }
      }
    } finally {
      threads.shutdownNow();
    }
  }

  /** Loads ND4J's and our own native libraries and prints what two models write. */
  static final class Main {
    private Main() {}

    public static void main(String[] args) {
      System.out.println("CPU " + Arrays.toString(write(new CpuKernels(1), 64, 1)));
      System.out.println("Portable " + Arrays.toString(write(new PortableKernels(), 64, 3)));
    }
  }

  /** Both unpack the native libraries into one JavaCPP cache, which is empty. */
  @Test
  void twoJvmsThatStartTogetherOverAnEmptyCacheWriteTheSame() throws Exception {
    Path cache = Files.createDirectory(temp.resolve("cache"));
    List<String> options =
        List.of(
            "-Xmx256m",
            "--add-modules=jdk.incubator.vector",
            "-Dorg.bytedeco.javacpp.cachedir=" + cache);
    try (ChildJvm one = ChildJvm.start(List.of(), options, Main.class);
        ChildJvm two = ChildJvm.start(List.of(), options, Main.class)) {
      ChildJvm.Outcome first = one.outcome();
      ChildJvm.Outcome second = two.outcome();

      assertThat(first.exitCode()).as(first.output()).isZero();
      assertThat(second.exitCode()).as(second.output()).isZero();
      assertThat(lines(first)).hasSize(2).isEqualTo(lines(second));
    }
    try (var unpacked = Files.walk(cache)) {
      assertThat(unpacked.map(path -> path.getFileName().toString()))
          .contains("libjnind4jcpu.so", "libjniopenblas.so");
    }
  }

  private static List<String> lines(ChildJvm.Outcome outcome) {
    return outcome
        .output()
        .lines()
        .filter(line -> line.startsWith("CPU [") || line.startsWith("Portable ["))
        .toList();
  }
}
