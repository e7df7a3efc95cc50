package dev.distillery.model.nn;

import java.util.Optional;

/** Offers a kernel set. Found by {@link java.util.ServiceLoader}. */
public interface KernelsProvider {
  /** The name by which it can be asked for. */
  String name();

  /** Why this set cannot run in this JVM; empty where it can. */
  Optional<String> obstacle();

  /** New kernels on so many threads. */
  Kernels create(int threads);
}
