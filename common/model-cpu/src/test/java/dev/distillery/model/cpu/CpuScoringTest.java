package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.sample.ScoringParity;

class CpuScoringTest extends ScoringParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }

  @Override
  protected double tolerance() {
    return 0;
  }
}
