package dev.distillery.model.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The choice of kernels at start, each time in a JVM of its own. */
@Timeout(120)
class KernelSetsTest {
  @TempDir Path temp;

  /** Prints what it computes on, or why it cannot. */
  static final class Main {
    private Main() {}

    public static void main(String[] args) {
      try (Kernels kernels = KernelSets.create(1)) {
        System.out.println("Runs on " + kernels.describe());
      } catch (IllegalStateException e) {
        System.out.println("Refused: " + e.getMessage());
      }
    }
  }

  private static String start(List<Path> first, String... options) throws Exception {
    try (ChildJvm jvm = ChildJvm.start(first, List.of(options), Main.class)) {
      ChildJvm.Outcome outcome = jvm.outcome();
      assertThat(outcome.exitCode()).isZero();
      return outcome.output();
    }
  }

  @Test
  void aBuildForCudaIsRefusedWhereThereIsNoGpu() throws Exception {
    assumeFalse(Files.exists(Path.of("/dev/nvidiactl")), "there is a GPU here");
    Path cuda = cudaBackend();
    for (String wanted : List.of("", "portable", "cpu")) {
      assertThat(start(List.of(cuda), "-Ddistillery.kernels=" + wanted))
          .contains("Refused: This build computes on CUDA, and there is no GPU here")
          .contains("build without -Pcuda")
          .doesNotContain("Runs on");
    }
  }

  /** An empty class under the name by which ND4J's CUDA backend is known. */
  private Path cudaBackend() throws IOException {
    Path source = Files.createDirectories(temp.resolve("org/nd4j/linalg/jcublas"));
    Path file = source.resolve("JCublasBackend.java");
    Files.writeString(file, "package org.nd4j.linalg.jcublas; public class JCublasBackend {}");
    assertThat(
            ToolProvider.getSystemJavaCompiler()
                .run(null, null, null, "-proc:none", "-d", temp.toString(), file.toString()))
        .isZero();
    return temp;
  }

  @Test
  void thePortableKernelsRunWhereNothingElseIsThere() throws Exception {
    assertThat(start(List.of())).contains("Runs on portable kernels: ND4J");
  }

  @Test
  void kernelsThatAreAskedForAndNotThereAreRefused() throws Exception {
    assertThat(start(List.of(), "-Ddistillery.kernels=cpu"))
        .contains("Refused: Kernels cpu were asked for by -Ddistillery.kernels and cannot run");
  }
}
