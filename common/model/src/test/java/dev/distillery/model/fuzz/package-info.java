/** Targets of a fuzzer: {@code benchmarks/fuzz/run}. */
@NullMarked
package dev.distillery.model.fuzz;

import org.jspecify.annotations.NullMarked;
