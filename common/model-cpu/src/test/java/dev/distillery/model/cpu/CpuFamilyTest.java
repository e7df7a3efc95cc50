package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.train.FamilyParity;

class CpuFamilyTest extends FamilyParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }
}
