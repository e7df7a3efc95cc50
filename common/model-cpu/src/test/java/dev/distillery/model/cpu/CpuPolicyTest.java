package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.train.PolicyParity;

class CpuPolicyTest extends PolicyParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }
}
