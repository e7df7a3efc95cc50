package dev.distillery.jobs.dedup;

import java.io.Serializable;

/**
 * A token list that is too similar to an earlier one.
 *
 * @param ordinal the list's place in the order of all rows
 * @param keptOrdinal the place of the earliest kept list that excludes it
 * @param score their ROUGE-L F
 */
record Exclusion(long ordinal, long keptOrdinal, double score) implements Serializable {}
