package dev.distillery.model.nn;

class PortableKernelParityTest extends KernelParity {
  @Override
  protected Kernels kernels() {
    return new PortableKernels();
  }
}
