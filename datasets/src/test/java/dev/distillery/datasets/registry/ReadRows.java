package dev.distillery.datasets.registry;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowParser;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.SourceSettings;
import dev.distillery.datasets.read.Layout;
import dev.distillery.datasets.read.RawRow;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/** Lines of JSON as a source reads them, without Spark. */
final class ReadRows {
  private ReadRows() {}

  /**
   * What a source makes of lines, groups among them put together: a row as its columns that are not
   * the same for all, {@code name=value}; or {@code rejected: rule}.
   */
  static List<String> rows(Sources name, SourceSettings settings, String... lines) {
    Source source = name.create(settings, 42);
    List<String> written = new ArrayList<>();
    for (RowResult result : results(source, lines)) {
      if (result instanceof RowResult.Kept kept) {
        kept.rows().forEach(row -> written.add(written(source, row)));
      } else if (result instanceof RowResult.Rejected rejected) {
        written.add("rejected: " + rejected.rule());
      }
    }
    return written;
  }

  /** The ids of the rows that a source makes of a line. */
  static List<String> ids(Sources name, String line) {
    List<String> ids = new ArrayList<>();
    for (RowResult result : results(name.create(SourceSettings.defaults(), 42), line)) {
      if (result instanceof RowResult.Kept kept) {
        kept.rows().forEach(row -> ids.add(row.getString(0)));
      }
    }
    return ids;
  }

  /** What of a line its reader counts as unread, its own fields that are not known aside. */
  static Set<String> unread(Sources name, String line) throws RejectedRowException {
    RowContext context = new RowContext("folder/train.jsonl", Optional.empty());
    var unused = parse(name.create(SourceSettings.defaults(), 42), context, line);
    return context.unreadFields();
  }

  private static List<RowResult> parse(Source source, RowContext context, String json)
      throws RejectedRowException {
    RawRow raw =
        RawRow.of(new RawRow.Position(0, 0, 0, 1), json.getBytes(StandardCharsets.UTF_8), null);
    ObjectNode row = new RowParser(1 << 20).parse(raw, Layout.JSON_LINES).orElseThrow();
    return source.parse(row, context.with(row));
  }

  private static List<RowResult> results(Source source, String... lines) {
    List<RowResult> results = new ArrayList<>();
    List<RowResult.Item> items = new ArrayList<>();
    for (String line : lines) {
      List<RowResult> parsed;
      try {
        parsed = parse(source, new RowContext("folder/train.jsonl", Optional.empty()), line);
      } catch (RejectedRowException e) {
        parsed = List.of(new RowResult.Rejected(e.rule(), e.detail()));
      }
      for (RowResult result : parsed) {
        if (result instanceof RowResult.Item item) {
          items.add(item);
        } else {
          results.add(result);
        }
      }
    }
    items.sort(Comparator.comparing(RowResult.Item::order));
    if (!items.isEmpty()) {
      results.addAll(source.group(items.get(0).group(), items));
    }
    return results;
  }

  private static String written(Source source, Row row) {
    String[] names = source.table().schema().fieldNames();
    List<String> columns = new ArrayList<>();
    for (int i = 0; i < names.length; i++) {
      String value = value(row.get(i));
      boolean common =
          List.of("id", "task_id", "group_id", "origin", "max_similarity").contains(names[i]);
      if (!common && !value.isEmpty()) {
        columns.add(names[i] + "=" + value);
      }
    }
    return String.join("; ", columns);
  }

  private static String value(Object value) {
    if (value instanceof Row row) {
      // What a message may have beside its words is at its end.
      return row.mkString(":").replaceAll("(:null)+$", "");
    }
    if (value instanceof Object[] list) {
      return Arrays.stream(list).map(ReadRows::value).collect(Collectors.joining(", "));
    }
    if (value instanceof List<?> list) {
      return list.stream().map(ReadRows::value).collect(Collectors.joining(", "));
    }
    return value == null ? "" : value.toString();
  }
}
