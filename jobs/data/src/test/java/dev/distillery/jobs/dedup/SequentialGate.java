package dev.distillery.jobs.dedup;

import dev.distillery.core.text.RougeL;
import dev.distillery.core.text.WordTokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The gate as it is defined, one row after the other against every kept one: what all other ways
 * must agree with. No index, no filter, no collapsing.
 */
final class SequentialGate {
  /** A row of the input or of the pool. */
  record Text(String id, String task, String text) {}

  /** A dropped row. */
  record Duplicate(String id, String keptId, double score) {}

  /** What the gate keeps and drops, by id. */
  record Result(Set<String> kept, Map<String, Duplicate> duplicates) {}

  private SequentialGate() {}

  /** Goes through tasks in the order of their first rows. Ids do not repeat. */
  static Result run(List<Text> rows, List<Text> pool, String tokenizerName, double threshold) {
    WordTokenizer tokenizer = WordTokenizer.named(tokenizerName);
    Map<String, List<Text>> tasks = new LinkedHashMap<>();
    for (Text row : rows) {
      tasks.computeIfAbsent(row.task(), task -> new ArrayList<>()).add(row);
    }
    List<Text> kept = new ArrayList<>(pool);
    Set<String> keptIds = new TreeSet<>();
    Map<String, Duplicate> duplicates = new TreeMap<>();
    for (List<Text> task : tasks.values()) {
      List<String> tokens = tokenizer.tokenize(task.get(0).text());
      Duplicate found = null;
      for (Text earlier : kept) {
        double score = RougeL.score(tokens, tokenizer.tokenize(earlier.text()));
        if (score > threshold) {
          found = new Duplicate("", earlier.id(), score);
          break;
        }
      }
      if (found == null) {
        kept.add(task.get(0));
      }
      for (Text row : task) {
        if (found == null) {
          keptIds.add(row.id());
        } else {
          duplicates.put(row.id(), new Duplicate(row.id(), found.keptId(), found.score()));
        }
      }
    }
    return new Result(keptIds, duplicates);
  }
}
