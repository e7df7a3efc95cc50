package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.train.TrainingInvariants;

class CpuTrainingTest extends TrainingInvariants {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }
}
