package dev.distillery.jobs.dedup;

import dev.distillery.core.text.Match;
import dev.distillery.core.text.SimilarityIndex;
import dev.distillery.core.text.TokenList;
import dev.distillery.core.text.WordNumbers;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The sequential gate over distinct token lists, in one thread and in memory. */
final class PlainGate {
  private PlainGate() {}

  /**
   * The lists that an earlier kept one excludes. A pinned list is kept all the same; its exclusion
   * is for rows that have the same tokens and are not pinned.
   *
   * @param lists words with a space between two; distinct, none of them empty, in their order; a
   *     list's ordinal is its index
   * @param pinned so many lists at the head are kept whatever they are similar to
   */
  static List<Exclusion> exclusions(List<String> lists, int pinned, double threshold) {
    WordNumbers vocabulary = rarestLast(lists);
    var index = new SimilarityIndex(threshold);
    List<Integer> kept = new ArrayList<>();
    List<Exclusion> exclusions = new ArrayList<>();
    for (int i = 0; i < lists.size(); i++) {
      TokenList list = vocabulary.encode(ComparedRows.words(lists.get(i)));
      List<Match> earliest = index.above(list, 1);
      if (!earliest.isEmpty()) {
        Match match = earliest.get(0);
        exclusions.add(new Exclusion(i, kept.get(match.member()), match.score()));
      }
      if (earliest.isEmpty() || i < pinned) {
        index.add(list);
        kept.add(i);
      }
    }
    return exclusions;
  }

  /** The vocabulary of the elements that stand in two lists or more, from the most frequent on. */
  private static WordNumbers rarestLast(List<String> lists) {
    Map<String, Integer> counts = new HashMap<>();
    for (String list : lists) {
      for (String element : WordNumbers.elementsOf(ComparedRows.words(list))) {
        counts.merge(element, 1, Integer::sum);
      }
    }
    return new WordNumbers(
        counts.entrySet().stream()
            .filter(entry -> entry.getValue() > 1)
            .sorted(
                Map.Entry.<String, Integer>comparingByValue()
                    .reversed()
                    .thenComparing(Map.Entry.comparingByKey(Comparator.naturalOrder())))
            .map(Map.Entry::getKey)
            .toList());
  }
}
