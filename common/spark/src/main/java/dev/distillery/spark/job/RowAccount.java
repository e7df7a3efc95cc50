package dev.distillery.spark.job;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where every unit of a job's input went: in = kept + duplicates + rejected + left over. {@link
 * JobRun} checks it against what was written before anything is published.
 *
 * @param unit what is counted, as in {@code rows} or {@code dialogues}; one that is split or paired
 *     counts once
 * @param in units of the input, counted apart from what became of them
 * @param kept units that are in the job's own table
 * @param duplicates units that the table duplicates holds
 * @param rejected units that a rule dropped
 * @param leftOver units that a reached target left over, counted and not stored
 * @param rejects rows of the table rejects, by rule: the rejected units, parts of kept ones, and
 *     rows of what the job reads beside its input
 */
public record RowAccount(
    String unit,
    long in,
    long kept,
    long duplicates,
    long rejected,
    long leftOver,
    Map<String, Long> rejects) {

  public RowAccount {
    rejects = Map.copyOf(rejects);
  }

  /** An account in which every unit was kept; what else became of some is added to it. */
  public static RowAccount of(String unit, long in, long kept) {
    return new RowAccount(unit, in, kept, 0, 0, 0, Map.of());
  }

  /** Units that an earlier one excludes. */
  public RowAccount duplicates(long count) {
    return new RowAccount(unit, in, kept, count, rejected, leftOver, rejects);
  }

  /** Units that rules dropped, by rule. */
  public RowAccount rejects(Map<String, Long> byRule) {
    return rejects(sum(byRule), byRule);
  }

  /**
   * As {@link #rejects(Map)}, where rules dropped parts of units too.
   *
   * @param units dropped as a whole
   */
  public RowAccount rejects(long units, Map<String, Long> byRule) {
    return new RowAccount(unit, in, kept, duplicates, units, leftOver, byRule);
  }

  /** Further units that were rejected before the job saw them, by rule. */
  RowAccount alsoRejected(Map<String, Long> byRule) {
    long more = sum(byRule);
    return new RowAccount(unit, in + more, kept, duplicates, rejected + more, leftOver, rejects)
        .rejectedBeside(byRule);
  }

  /** Further rows of the table rejects, by rule, that are none of the units. */
  RowAccount rejectedBeside(Map<String, Long> byRule) {
    var all = new TreeMap<>(rejects);
    byRule.forEach((rule, rows) -> all.merge(rule, rows, Long::sum));
    return new RowAccount(unit, in, kept, duplicates, rejected, leftOver, all);
  }

  /** Units that nothing was made of because enough was made. */
  public RowAccount leftOver(long count) {
    return new RowAccount(unit, in, kept, duplicates, rejected, count, rejects);
  }

  /** Rows that the table rejects must have. */
  long rejectRows() {
    return sum(rejects);
  }

  /**
   * Makes sure that no unit is lost or counted twice.
   *
   * @throws JobException with {@link ExitCode#UNEXPECTED} otherwise
   */
  void check() {
    if (in != kept + duplicates + rejected + leftOver) {
      throw wrong("in " + in + ", left over " + leftOver);
    }
  }

  /**
   * Makes sure that the tables hold what was counted.
   *
   * @throws JobException with {@link ExitCode#UNEXPECTED} otherwise
   */
  void check(long duplicateRows, long rejectedRows) {
    if (duplicates != duplicateRows || rejectRows() != rejectedRows) {
      throw wrong("rows of duplicates " + duplicateRows + ", rows of rejects " + rejectedRows);
    }
  }

  private JobException wrong(String found) {
    return new JobException(
        ExitCode.UNEXPECTED,
        "The "
            + unit
            + " do not add up: kept "
            + kept
            + ", duplicates "
            + duplicates
            + ", rejected "
            + rejected
            + "; "
            + found
            + "; did the input change while it was read?");
  }

  private static long sum(Map<String, Long> byRule) {
    return byRule.values().stream().mapToLong(Long::longValue).sum();
  }
}
