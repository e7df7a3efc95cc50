package dev.distillery.core.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Finds, among token lists that were added one by one, the most similar ones to another, however
 * low their scores. Exact. Every element is indexed; a look-up goes from the rarest element on and
 * stops where what has not been met yet shares too few elements to be among the best. Not for use
 * by two threads at a time.
 */
public final class NeighbourIndex {
  /** Best first; of equal scores the earlier member first. */
  private static final Comparator<Match> BEST_FIRST =
      Comparator.comparingDouble(Match::score).reversed().thenComparingInt(Match::member);

  private final List<TokenList> members = new ArrayList<>();
  private int[][] postings = new int[1024][];
  private int[] postingCounts = new int[1024];
  private int[] lastQuery = new int[1024];
  private int query;

  /** Adds a member; its number is how many there were before. */
  public int add(TokenList list) {
    int member = members.size();
    members.add(list);
    for (int element : list.elements()) {
      post(element, member);
    }
    return member;
  }

  /**
   * The most similar members that share a token with the list at all: best first, of equal scores
   * the earlier member first.
   *
   * @param limit at most so many
   */
  public List<Match> nearest(TokenList list, int limit) {
    var best = new PriorityQueue<>(BEST_FIRST.reversed());
    if (limit == 0) {
      return List.of();
    }
    startQuery();
    var pattern = new LcsPattern(list.sequence());
    int m = list.length();
    int known = list.elements().length;
    for (int i = 0; i < known; i++) {
      int rest = known - i;
      @Nullable Match worst = best.size() < limit ? null : best.peek();
      if (worst != null && bound(rest, m, rest) < worst.score()) {
        break;
      }
      int element = list.elements()[i];
      int count = element < postings.length ? postingCounts[element] : 0;
      for (int p = 0; p < count; p++) {
        int member = postings[element][p];
        if (lastQuery[member] == query) {
          continue;
        }
        lastQuery[member] = query;
        TokenList other = members.get(member);
        int n = other.length();
        if (worst == null
            || bound(Math.min(rest, list.overlapBound(other)), m, n) >= worst.score()) {
          double score = RougeL.fMeasure(pattern.lengthWith(other.sequence()), m, n);
          best.add(new Match(member, score));
          if (best.size() > limit) {
            best.remove();
          }
          worst = best.size() < limit ? null : best.peek();
        }
      }
    }
    List<Match> sorted = new ArrayList<>(best);
    sorted.sort(BEST_FIRST);
    return List.copyOf(sorted);
  }

  /**
   * The mean score over all members, those that share nothing included; 0 if there are none. Every
   * member that shares a token costs one common subsequence.
   */
  public double meanScore(TokenList list) {
    startQuery();
    var pattern = new LcsPattern(list.sequence());
    double sum = 0;
    for (int element : list.elements()) {
      int count = element < postings.length ? postingCounts[element] : 0;
      for (int p = 0; p < count; p++) {
        int member = postings[element][p];
        if (lastQuery[member] != query) {
          lastQuery[member] = query;
          TokenList other = members.get(member);
          int lcs = pattern.lengthWith(other.sequence());
          sum += RougeL.fMeasure(lcs, list.length(), other.length());
        }
      }
    }
    return members.isEmpty() ? 0 : sum / members.size();
  }

  /** At least F, whichever way its doubles were rounded. */
  private static double bound(int overlap, int m, int n) {
    return 2.0 * overlap / (m + n) * (1 + 1e-12);
  }

  private void startQuery() {
    query++;
    if (lastQuery.length < members.size()) {
      lastQuery = Arrays.copyOf(lastQuery, members.size() * 2);
    }
  }

  private void post(int element, int member) {
    if (element >= postings.length) {
      int capacity = Math.max(element + 1, postings.length * 2);
      postings = Arrays.copyOf(postings, capacity);
      postingCounts = Arrays.copyOf(postingCounts, capacity);
    }
    int count = postingCounts[element]++;
    int[] list = postings[element];
    if (list == null) {
      list = postings[element] = new int[2];
    } else if (count == list.length) {
      list = postings[element] = Arrays.copyOf(list, count * 2);
    }
    list[count] = member;
  }
}
