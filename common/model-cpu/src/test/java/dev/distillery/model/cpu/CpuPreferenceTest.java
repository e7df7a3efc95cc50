package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.train.PreferenceParity;

class CpuPreferenceTest extends PreferenceParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }
}
