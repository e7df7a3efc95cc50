package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.train.TrainingParity;

class CpuParityTest extends TrainingParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }

  @Override
  protected int steps() {
    return 50;
  }
}
