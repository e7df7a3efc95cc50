package dev.distillery.model.cpu;

import dev.distillery.model.nn.KernelParity;
import dev.distillery.model.nn.Kernels;

class CpuKernelParityTest extends KernelParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }
}
