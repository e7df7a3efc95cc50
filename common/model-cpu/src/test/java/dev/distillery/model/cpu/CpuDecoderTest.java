package dev.distillery.model.cpu;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.train.DecoderParity;

class CpuDecoderTest extends DecoderParity {
  @Override
  protected Kernels kernels() {
    return new CpuKernels(2);
  }
}
