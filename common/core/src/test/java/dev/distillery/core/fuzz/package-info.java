/**
 * What a fuzzer gives to the readers of this module: one class a reader, as Jazzer calls it. {@code
 * benchmarks/fuzz/run} runs them; {@link dev.distillery.core.fuzz.FuzzCorpusTest} replays the
 * corpus.
 */
@NullMarked
package dev.distillery.core.fuzz;

import org.jspecify.annotations.NullMarked;
