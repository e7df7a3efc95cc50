package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.sample.StoriesParity;

class CpuStoriesTest extends StoriesParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }
}
