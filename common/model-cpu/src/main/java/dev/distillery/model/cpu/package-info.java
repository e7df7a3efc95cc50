/**
 * Kernels for processors: OpenBLAS for large matrix products, the Vector API for everything else,
 * memory outside the heap. It is a module of its own because the incubating Vector API cannot be
 * compiled without a warning.
 *
 * <p>May use: core.random, model.format, model.nn.
 */
@NullMarked
package dev.distillery.model.cpu;

import org.jspecify.annotations.NullMarked;
