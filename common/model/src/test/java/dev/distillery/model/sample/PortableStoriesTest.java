package dev.distillery.model.sample;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.PortableKernels;

class PortableStoriesTest extends StoriesParity {
  @Override
  protected Kernels kernels() {
    return new PortableKernels();
  }
}
