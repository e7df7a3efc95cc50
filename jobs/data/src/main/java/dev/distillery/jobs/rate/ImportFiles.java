package dev.distillery.jobs.rate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Items as other tools import them: {@code item}, {@code prompt} (all that was asked), {@code
 * answer_1} and so on by their places, and nothing of models and rows.
 */
final class ImportFiles {
  private static final ObjectMapper JSON = new ObjectMapper();

  private ImportFiles() {}

  /** The file's text. */
  static String of(RateFormat format, List<RatingItem> items) {
    List<Map<String, String>> rows = items.stream().map(ImportFiles::row).toList();
    return switch (format) {
      case HTML -> throw new IllegalArgumentException("A page is no file of another tool");
      case MTURK -> csv(rows);
      case LABEL_STUDIO -> tasks(rows);
      case ARGILLA -> records(rows);
    };
  }

  private static Map<String, String> row(RatingItem item) {
    Map<String, String> row = new LinkedHashMap<>();
    row.put("item", item.id());
    boolean apart = item.instruction() != null && item.input() != null && !item.input().isBlank();
    row.put("prompt", apart ? item.asked() + "\n\n" + item.input() : item.asked());
    for (int i = 0; i < item.answers().size(); i++) {
      row.put("answer_" + (i + 1), item.answers().get(i).text());
    }
    return row;
  }

  /**
   * A CSV file (RFC 4180) of the variables of a HIT's layout. MTurk puts them into the layout's
   * HTML as they are, so they are escaped here.
   */
  private static String csv(List<Map<String, String>> rows) {
    List<String> names = rows.stream().flatMap(row -> row.keySet().stream()).distinct().toList();
    return line(names)
        + rows.stream()
            .map(
                row ->
                    line(names.stream().map(name -> escaped(row.getOrDefault(name, ""))).toList()))
            .collect(Collectors.joining());
  }

  private static String line(List<String> cells) {
    return cells.stream()
            .map(cell -> "\"" + cell.replace("\"", "\"\"") + "\"")
            .collect(Collectors.joining(","))
        + "\r\n";
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  /** A JSON list of tasks, each with its {@code data}. */
  private static String tasks(List<Map<String, String>> rows) {
    ArrayNode tasks = JSON.createArrayNode();
    rows.forEach(row -> tasks.addObject().set("data", JSON.valueToTree(row)));
    return tasks + "\n";
  }

  /** A JSON list of records for {@code dataset.records.log}, an item's name being its id. */
  private static String records(List<Map<String, String>> rows) {
    ArrayNode records = JSON.createArrayNode();
    for (Map<String, String> row : rows) {
      ObjectNode record = records.addObject();
      row.forEach((name, text) -> record.put(name.equals("item") ? "id" : name, text));
    }
    return records + "\n";
  }
}
