package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.train.RewardParity;

class CpuRewardTest extends RewardParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }

  @Override
  protected int steps() {
    return 30;
  }
}
