/** What a fuzzer gives to the readers of files; see {@code benchmarks/fuzz/run}. */
@NullMarked
package dev.distillery.datasets.fuzz;

import org.jspecify.annotations.NullMarked;
