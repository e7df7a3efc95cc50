package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.train.FrozenBaseParity;

class CpuFrozenBaseTest extends FrozenBaseParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }
}
