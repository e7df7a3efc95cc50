package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.KernelsProvider;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Offers the fused kernels where the JVM has the Vector API and OpenBLAS loads. */
public final class CpuKernelsProvider implements KernelsProvider {
  private static final Logger LOG = LoggerFactory.getLogger(CpuKernelsProvider.class);

  /** One thread's matrix products below this many GFLOP/s mean a BLAS without vector kernels. */
  private static final double SLOW_GFLOPS = 15;

  @Override
  public String name() {
    return "cpu";
  }

  @Override
  public Optional<String> obstacle() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return Optional.of(
          "the Vector API is not open: start Java with --add-modules=jdk.incubator.vector");
    }
    double speed = Blas.measure();
    if (speed < SLOW_GFLOPS) {
      LOG.warn(
          "OpenBLAS computes {} GFLOP/s a thread: it does not know this processor. Setting the environment variable OPENBLAS_CORETYPE, for example to Haswell or SkylakeX, may help",
          Math.round(speed));
    }
    return Optional.empty();
  }

  @Override
  public Kernels create(int threads) {
    return new CpuKernels(threads);
  }
}
