package dev.distillery.core.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * Finds, among token lists that were added one by one, those whose ROUGE-L with another is above a
 * threshold. Exact: the filters drop only what cannot be above it, and what passes them is decided
 * on the score itself.
 *
 * <p>F above t needs a common subsequence, so an overlap of elements, of more than t(m + n) / 2.
 * The filters, in order (Chaudhuri et al. 2006; Xiao et al., PPJoin, 2008):
 *
 * <ul>
 *   <li>Prefix: with all elements in one order, rarest first, two lists that overlap enough share
 *       an element among the first few of each. Only those are indexed and looked up.
 *   <li>Position and length: if their first shared element is at i in one and j in the other, the
 *       overlap is at most 1 + min(m - i - 1, n - j - 1).
 *   <li>Sketch: see {@link TokenList#overlapBound}.
 * </ul>
 *
 * <p>Not for use by two threads at a time.
 */
public final class SimilarityIndex {
  private static final int FIRST_WINDOW = 4096;
  private static final int SATURATED = 0xFFFF;

  private final double threshold;
  private final double floor;
  private final IntPredicate indexed;
  private final List<TokenList> members = new ArrayList<>();
  // By element: member << 32 | length << 16 | position, ascending; the last two saturate.
  private long[][] postings = new long[1024][];
  private int[] postingCounts = new int[1024];
  private int[] lastQuery = new int[1024];
  private int query;

  /** Finds what scores above the threshold, from 0 to 1. */
  public SimilarityIndex(double threshold) {
    this(threshold, element -> true);
  }

  /**
   * A part of an index: it finds a member only if the first element that the two share is of this
   * part, so that over parts which cover all elements every pair is found.
   */
  public SimilarityIndex(double threshold, IntPredicate part) {
    this.threshold = threshold;
    this.floor = RougeL.floor(threshold);
    this.indexed = part;
  }

  /** How many members there are. */
  public int size() {
    return members.size();
  }

  /** Adds a member; its number is how many there were before. */
  public int add(TokenList list) {
    int member = members.size();
    members.add(list);
    int unknown = list.length() - list.elements().length;
    for (int i = 0; i < list.elements().length; i++) {
      if (!inPrefix(unknown + i, list.length())) {
        break;
      }
      if (indexed.test(list.elements()[i])) {
        post(list.elements()[i], member, list.length(), unknown + i);
      }
    }
    return member;
  }

  /** Whether an element at this place (0 is the rarest) of a list of this length is looked at. */
  public static boolean inPrefix(double threshold, int position, int length) {
    return isEnough(RougeL.floor(threshold), length - position, length, length - position);
  }

  private boolean inPrefix(int position, int length) {
    return isEnough(floor, length - position, length, length - position);
  }

  private static boolean isEnough(double floor, int overlap, int m, int n) {
    return 2.0 * overlap > floor * ((double) m + n);
  }

  /**
   * The earliest members that score above the threshold with a list, in the order in which they
   * were added.
   *
   * @param limit at most so many
   */
  public List<Match> above(TokenList list, int limit) {
    var search = new Search(list);
    List<Match> found = new ArrayList<>();
    long end = FIRST_WINDOW;
    while (true) {
      search.collectBefore(end);
      search.verify(found, limit);
      if (found.size() == limit || end >= members.size()) {
        return found;
      }
      end *= 4;
    }
  }

  private void post(int element, int member, int length, int position) {
    if (element >= postings.length) {
      int capacity = Math.max(element + 1, postings.length * 2);
      postings = Arrays.copyOf(postings, capacity);
      postingCounts = Arrays.copyOf(postingCounts, capacity);
    }
    int count = postingCounts[element]++;
    long[] list = postings[element];
    if (list == null) {
      list = postings[element] = new long[2];
    } else if (count == list.length) {
      list = postings[element] = Arrays.copyOf(list, count * 2);
    }
    list[count] =
        (long) member << 32
            | (long) Math.min(length, SATURATED) << 16
            | Math.min(position, SATURATED);
  }

  /**
   * One look-up. It goes through the members in windows of growing size, so that a list with many
   * matches stops after the first of them.
   */
  private final class Search {
    private final TokenList list;
    private final int unknown;
    private final int[] cursors;
    private int[] candidates = new int[16];
    private int count;
    private LcsPattern pattern;

    Search(TokenList list) {
      this.list = list;
      unknown = list.length() - list.elements().length;
      int prefix = 0;
      while (prefix < list.elements().length && inPrefix(unknown + prefix, list.length())) {
        prefix++;
      }
      cursors = new int[prefix];
      query++;
      if (lastQuery.length < members.size()) {
        lastQuery = Arrays.copyOf(lastQuery, members.size() * 2);
      }
    }

    void collectBefore(long end) {
      count = 0;
      for (int i = 0; i < cursors.length; i++) {
        int element = list.elements()[i];
        if (element < postings.length && postings[element] != null) {
          collect(i, postings[element], postingCounts[element], end << 32);
        }
      }
    }

    private void collect(int i, long[] entries, int entryCount, long end) {
      int m = list.length();
      int rest = m - unknown - i;
      int cursor = cursors[i];
      for (; cursor < entryCount && entries[cursor] < end; cursor++) {
        long entry = entries[cursor];
        int member = (int) (entry >>> 32);
        int n = (int) (entry >>> 16) & SATURATED;
        if (n == SATURATED) {
          n = members.get(member).length();
        }
        int overlap = Math.min(rest, n - (int) (entry & SATURATED));
        if (isEnough(floor, overlap, m, n) && lastQuery[member] != query) {
          lastQuery[member] = query;
          if (isEnough(floor, list.overlapBound(members.get(member)), m, n)) {
            if (count == candidates.length) {
              candidates = Arrays.copyOf(candidates, count * 2);
            }
            candidates[count++] = member;
          }
        }
      }
      cursors[i] = cursor;
    }

    void verify(List<Match> found, int limit) {
      Arrays.sort(candidates, 0, count);
      for (int i = 0; i < count && found.size() < limit; i++) {
        TokenList member = members.get(candidates[i]);
        if (pattern == null) {
          pattern = new LcsPattern(list.sequence());
        }
        int lcs = pattern.lengthWith(member.sequence());
        double score = RougeL.fMeasure(lcs, list.length(), member.length());
        if (score > threshold) {
          found.add(new Match(candidates[i], score));
        }
      }
    }
  }
}
