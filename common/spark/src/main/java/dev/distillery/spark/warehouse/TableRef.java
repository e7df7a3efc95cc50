package dev.distillery.spark.warehouse;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.RunId;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How a user names rows: {@code table} (its newest finished run), {@code table@run_id}, or a path
 * or glob of Parquet or JSONL files with the table's columns.
 */
public sealed interface TableRef {
  /** A table of the warehouse: of one run, or of the newest that has it. */
  record Named(String table, Optional<String> runId) implements TableRef {
    @Override
    public String text() {
      return table + runId.map(id -> "@" + id).orElse("");
    }
  }

  /** Files of one's own. */
  record Files(String path) implements TableRef {
    @Override
    public String text() {
      return path;
    }
  }

  /** As a user writes it. */
  String text();

  /** A path has a slash, a star, a colon, or a file ending. */
  Pattern PATH = Pattern.compile(".*[/*:\\\\].*|.*\\.(parquet|jsonl?|csv|txt|gz|zst|bz2)");

  Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_]*");

  /**
   * Reads a reference as a user writes it.
   *
   * @throws JobException where it is neither a table's name nor a path
   */
  static TableRef parse(String text) {
    if (PATH.matcher(text).matches()) {
      return new Files(text);
    }
    int at = text.indexOf('@');
    String table = at < 0 ? text : text.substring(0, at);
    Optional<String> runId = at < 0 ? Optional.empty() : Optional.of(text.substring(at + 1));
    if (!NAME.matcher(table).matches() || runId.filter(id -> !RunId.isValid(id)).isPresent()) {
      throw JobException.invalid(
          "Not a reference to a table: '"
              + text
              + "'; write table, table@run_id, or a path of Parquet or JSONL files");
    }
    return new Named(table, runId);
  }

  /** As {@link #parse(String)}, of several. */
  static List<TableRef> parse(List<String> texts) {
    return texts.stream().map(TableRef::parse).toList();
  }

  /** The message for a table that is not there. */
  static JobException missing(Named ref, RunRecords records, Warehouse warehouse) {
    List<String> tables =
        records.newestFirst().stream()
            .filter(RunRecord::done)
            .flatMap(record -> record.tables().keySet().stream())
            .distinct()
            .sorted()
            .toList();
    return JobException.invalid(
        "No finished run in "
            + warehouse.root()
            + " has a table '"
            + ref.table()
            + "'"
            + ref.runId().map(id -> " under the run id '" + id + "'").orElse("")
            + (tables.isEmpty()
                ? "; the warehouse has no finished run"
                : Nearest.hint(ref.table(), tables)));
  }
}
