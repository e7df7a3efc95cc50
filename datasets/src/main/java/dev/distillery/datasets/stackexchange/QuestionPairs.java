package dev.distillery.datasets.stackexchange;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.datasets.SourceSettings.StackExchange;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.Attribution;
import dev.distillery.spark.warehouse.StableIds;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;

/**
 * Makes comparisons of the answers to one question: every two answers of different scores, or,
 * where those are too many, the ones that a seeded hash of question and answers puts first. The
 * choice depends on nothing else.
 *
 * @param rows of the preferences table
 * @param used ids of the answers that stand in a pair
 * @param leftOver pairs that the limit left out
 */
record QuestionPairs(List<Row> rows, Set<String> used, long leftOver) {

  /** An answer, as Markdown. */
  record Answer(String id, String text, int score, Attribution attribution) {}

  /** Two answers and where the hash puts them. */
  private record Pair(Answer better, Answer worse, String order) {}

  static QuestionPairs of(
      String questionId,
      String question,
      Attribution asker,
      List<Answer> answers,
      Optional<String> split,
      StackExchange settings,
      long seed,
      Tagging tagging) {
    // The last of the chosen pairs lies on top, ready to make room for an earlier one.
    PriorityQueue<Pair> chosen = new PriorityQueue<>(Comparator.comparing(Pair::order).reversed());
    long pairs = 0;
    for (int i = 0; i < answers.size(); i++) {
      for (int j = i + 1; j < answers.size(); j++) {
        Answer a = answers.get(i);
        Answer b = answers.get(j);
        if (a.score == b.score || a.text.equals(b.text)) {
          continue;
        }
        pairs++;
        Answer better = a.score > b.score ? a : b;
        Answer worse = a.score > b.score ? b : a;
        String order = StableIds.of(String.valueOf(seed), questionId, better.id, worse.id);
        chosen.add(new Pair(better, worse, order));
        if (chosen.size() > settings.pairsPerQuestion()) {
          chosen.remove();
        }
      }
    }
    List<Pair> sorted = new ArrayList<>(chosen);
    sorted.sort(Comparator.comparing(Pair::order));
    List<Message> prompt = List.of(new Message(Roles.USER, question));
    String group = tagging.id(prompt);
    List<Row> rows = new ArrayList<>();
    Set<String> used = new HashSet<>();
    for (Pair pair : sorted) {
      used.add(pair.better.id);
      used.add(pair.worse.id);
      addRows(prompt, group, asker, pair, split, settings.binarized(), tagging, rows);
    }
    return new QuestionPairs(rows, used, pairs - sorted.size());
  }

  private static void addRows(
      List<Message> prompt,
      String group,
      Attribution asker,
      Pair pair,
      Optional<String> split,
      boolean binarized,
      Tagging tagging,
      List<Row> rows) {
    Tagging.Comparison comparison =
        new Tagging.Comparison(
            prompt,
            pair.better.text,
            pair.worse.text,
            OptionalDouble.of(pair.better.score - pair.worse.score),
            OptionalDouble.of(pair.better.score),
            OptionalDouble.of(pair.worse.score),
            split,
            List.of(asker, pair.better.attribution, pair.worse.attribution));
    Tagging tagged = new Tagging(tagging.source(), license(comparison.attribution()));
    if (!binarized) {
      rows.add(tagged.preference(comparison, group));
      return;
    }
    rows.add(
        marked(comparison, "GOOD:" + pair.better.text, "BAD:" + pair.better.text, tagged, group));
    rows.add(
        marked(comparison, "BAD:" + pair.worse.text, "GOOD:" + pair.worse.text, tagged, group));
  }

  /** A pair stands under the licenses of all three posts. */
  private static String license(List<Attribution> posts) {
    return posts.stream()
        .map(Attribution::license)
        .distinct()
        .sorted()
        .collect(Collectors.joining(" AND "));
  }

  private static Row marked(
      Tagging.Comparison pair, String chosen, String rejected, Tagging tagging, String group) {
    return tagging.preference(
        new Tagging.Comparison(
            pair.prompt(),
            chosen,
            rejected,
            pair.margin(),
            pair.chosenScore(),
            pair.rejectedScore(),
            pair.split(),
            pair.attribution()),
        group);
  }
}
