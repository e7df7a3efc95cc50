package dev.distillery.model.nn;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.nd4j.linalg.factory.Nd4j;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses kernels: the fused ones where they are on the classpath and can run, else the portable
 * ones. On CUDA the portable ones are what runs.
 */
public final class KernelSets {
  /** System property that asks for a kernel set by name: {@code cpu} or {@code portable}. */
  public static final String PROPERTY = "distillery.kernels";

  private static final Logger LOG = LoggerFactory.getLogger(KernelSets.class);
  private static final String PORTABLE = "portable";
  private static final Path NVIDIA_DEVICE = Path.of("/dev/nvidiactl");

  private static final Set<Integer> UNUSED = ConcurrentHashMap.newKeySet();

  private KernelSets() {}

  /**
   * The kernels of this JVM, reported in the log.
   *
   * @param threads threads that compute, the caller's among them
   */
  public static Kernels create(int threads) {
    Kernels kernels = choose(System.getProperty(PROPERTY, ""), threads);
    LOG.info("Student runs on {}", kernels.describe());
    return kernels;
  }

  /**
   * Lets this thread's arrays be on a GPU. A build without CUDA computes on the processor all the
   * same, and warns once for each.
   *
   * @param gpu its number as CUDA counts them
   */
  public static void useGpu(int gpu) {
    if (cuda()) {
      Nd4j.getAffinityManager().unsafeSetDevice(gpu);
    } else if (UNUSED.add(gpu)) {
      LOG.warn("GPU {} was given and is not used: this build computes on the processor", gpu);
    }
  }

  private static Kernels choose(String wanted, int threads) {
    if (cuda()) {
      requireGpu();
      return new PortableKernels();
    }
    if (!wanted.equals(PORTABLE)) {
      for (KernelsProvider provider : ServiceLoader.load(KernelsProvider.class)) {
        if (!wanted.isEmpty() && !wanted.equals(provider.name())) {
          continue;
        }
        Optional<String> obstacle = obstacle(provider);
        if (obstacle.isEmpty()) {
          return provider.create(threads);
        }
        LOG.warn("Slow: kernels {} cannot run here: {}", provider.name(), obstacle.get());
      }
    }
    if (!wanted.isEmpty() && !wanted.equals(PORTABLE)) {
      throw new IllegalStateException(
          "Kernels %s were asked for by -D%s and cannot run here".formatted(wanted, PROPERTY));
    }
    return new PortableKernels();
  }

  private static Optional<String> obstacle(KernelsProvider provider) {
    try {
      return provider.obstacle();
    } catch (LinkageError | ServiceConfigurationError e) {
      return Optional.of(e.toString());
    }
  }

  /** ND4J's own failure without a driver is a chain of linkage errors that names no cause. */
  private static void requireGpu() {
    if (!Files.exists(NVIDIA_DEVICE) && System.getProperty("os.name").equals("Linux")) {
      throw new IllegalStateException(
          "This build computes on CUDA, and there is no GPU here (no "
              + NVIDIA_DEVICE
              + "): run on a machine with one and its driver, or build without -Pcuda");
    }
  }

  /** Whether ND4J's CUDA backend is on the classpath. */
  private static boolean cuda() {
    try {
      Class.forName("org.nd4j.linalg.jcublas.JCublasBackend", false, Nd4j.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }
}
