package dev.distillery.model.train;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.PortableKernels;

class PortableRewardTest extends RewardParity {
  @Override
  protected Kernels kernels() {
    return new PortableKernels();
  }

  @Override
  protected int steps() {
    return 6;
  }
}
