package dev.distillery.model.sample;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.PortableKernels;

class PortableScoringTest extends ScoringParity {
  @Override
  protected Kernels kernels() {
    return new PortableKernels();
  }

  @Override
  protected double tolerance() {
    return 1e-5;
  }
}
