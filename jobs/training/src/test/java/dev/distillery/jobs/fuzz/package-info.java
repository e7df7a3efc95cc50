/** What a fuzzer gives to the readers of this module; see {@code benchmarks/fuzz/run}. */
@NullMarked
package dev.distillery.jobs.fuzz;

import org.jspecify.annotations.NullMarked;
