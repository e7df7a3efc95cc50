package dev.distillery.core.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Finds, among token lists that were added one by one, those whose ROUGE-L with another is above a
 * threshold. Exact: the filters drop only what cannot be above it, and what passes them is decided
 * on the score itself.
 *
 * <p>F above t needs a common subsequence, so an overlap of elements, of more than t(m + n) / 2.
 * The filters (Chaudhuri et al. 2006; Xiao et al., PPJoin, 2008):
 *
 * <ul>
 *   <li>Prefix: with all elements in one order, rarest first, two lists that overlap enough share
 *       an element among the first few of each. Only those are indexed and looked up.
 *   <li>Position and length: if their first shared element is at i in one and j in the other, the
 *       overlap is at most min(m - i, n - j). Members that have an element at the same place and
 *       have the same length lie together, so that this is asked once for all of them.
 *   <li>Sketch: see {@link TokenList}. It lies beside the member's number, so that what it refuses
 *       costs no jump in memory.
 * </ul>
 *
 * <p>Not for use by two threads at a time.
 */
public final class SimilarityIndex {
  private final double threshold;
  private final double floor;
  private final IntPredicate part;
  private final List<TokenList> members = new ArrayList<>();
  private @Nullable Postings[] postings = new Postings[1024];
  private int[] lastQuery = new int[1024];
  private int query;

  /** Finds what scores above the threshold, from 0 to 1. */
  public SimilarityIndex(double threshold) {
    this(threshold, element -> true);
  }

  /**
   * A part of an index: it finds a member surely if the first element that the two share is of this
   * part, so parts that cover all elements find every pair.
   */
  public SimilarityIndex(double threshold, IntPredicate part) {
    this.threshold = threshold;
    this.floor = RougeL.floor(threshold);
    this.part = part;
  }

  /** How many members there are. */
  public int size() {
    return members.size();
  }

  /** Adds a member; its number is how many there were before. */
  public int add(TokenList list) {
    int member = members.size();
    members.add(list);
    int prefix = prefix(threshold, list);
    for (int i = 0; i < prefix; i++) {
      int element = list.elements()[i];
      if (part.test(element)) {
        if (element >= postings.length) {
          postings = Arrays.copyOf(postings, Math.max(element + 1, postings.length * 2));
        }
        Postings entries = postings[element];
        if (entries == null) {
          entries = postings[element] = new Postings();
        }
        entries.add(member, list, list.unknown() + i, allowance(list));
      }
    }
    return member;
  }

  /** How many of a list's elements, from the first on, an index for this threshold looks at. */
  public static int prefix(double threshold, TokenList list) {
    double floor = RougeL.floor(threshold);
    int prefix = 0;
    int rest = list.elements().length;
    while (rest > 0 && isEnough(floor, rest, list.length(), rest)) {
      prefix++;
      rest--;
    }
    return prefix;
  }

  /**
   * The earliest members that score above the threshold with a list, in the order in which they
   * were added.
   *
   * @param limit at most so many, and at least 1
   */
  public List<Match> above(TokenList list, int limit) {
    if (lastQuery.length < members.size()) {
      lastQuery = Arrays.copyOf(lastQuery, members.size() * 2);
    }
    query++;
    var search = new Search(list, limit);
    int prefix = prefix(threshold, list);
    for (int i = 0; i < prefix; i++) {
      int element = list.elements()[i];
      Postings entries = element < postings.length ? postings[element] : null;
      if (entries != null) {
        search.lookUp(entries, list.elements().length - i);
      }
    }
    return search.found;
  }

  private static boolean isEnough(double floor, int overlap, int m, int n) {
    return 2.0 * overlap > floor * ((double) m + n);
  }

  /**
   * Two lists can score above the threshold only if their sketches differ in fewer bits than the
   * sum of their allowances: with k known elements each, overlap = (k + k' - differing) / 2 at
   * most, and it must exceed t(m + n) / 2.
   */
  private double allowance(TokenList list) {
    return list.elements().length - floor * list.length();
  }

  /** The members that have one element in their prefix, by length and by place of the element. */
  private static final class Postings {
    private static final int ENTRY = 3;

    private int count;
    private int[] shapes = new int[1];
    // Of the members of one shape: least length, most elements from this one on.
    private int[] lengths = new int[1];
    private int[] rests = new int[1];
    // Of each member: its number and, as a float, its allowance; its sketch.
    private long[][] entries = new long[1][];
    private int[] sizes = new int[1];

    void add(int member, TokenList list, int position, double allowance) {
      int length = list.length();
      int rest = length - position;
      int group = group(bucket(length) << 16 | bucket(position));
      lengths[group] = Math.min(lengths[group], length);
      rests[group] = Math.max(rests[group], rest);
      int size = sizes[group];
      if (size == entries[group].length) {
        entries[group] = Arrays.copyOf(entries[group], size * 2);
      }
      long[] into = entries[group];
      int upwards = Float.floatToRawIntBits(Math.nextUp((float) allowance));
      into[size] = (long) member << 32 | Integer.toUnsignedLong(upwards);
      into[size + 1] = list.sketch0();
      into[size + 2] = list.sketch1();
      sizes[group] = size + ENTRY;
    }

    private int group(int shape) {
      for (int g = 0; g < count; g++) {
        if (shapes[g] == shape) {
          return g;
        }
      }
      if (count == shapes.length) {
        int capacity = count * 2;
        shapes = Arrays.copyOf(shapes, capacity);
        lengths = Arrays.copyOf(lengths, capacity);
        rests = Arrays.copyOf(rests, capacity);
        entries = Arrays.copyOf(entries, capacity);
        sizes = Arrays.copyOf(sizes, capacity);
      }
      shapes[count] = shape;
      lengths[count] = Integer.MAX_VALUE;
      entries[count] = new long[ENTRY];
      return count++;
    }

    /** Small numbers as they are, larger ones in eighths of an octave. */
    private static int bucket(int number) {
      int octave = Math.max(0, 32 - Integer.numberOfLeadingZeros(number) - 7);
      return octave << 7 | (octave == 0 ? number : number >>> (octave + 3));
    }
  }

  /** One look-up. A group's members ascend, so it ends where enough earlier ones are known. */
  private final class Search {
    private final TokenList list;
    private final int limit;
    private final double allowance;
    private final List<Match> found = new ArrayList<>(2);
    private int before = Integer.MAX_VALUE;
    private @Nullable LcsPattern pattern;

    Search(TokenList list, int limit) {
      this.list = list;
      this.limit = limit;
      this.allowance = allowance(list);
    }

    void lookUp(Postings postings, int rest) {
      int m = list.length();
      for (int g = 0; g < postings.count; g++) {
        if (isEnough(floor, Math.min(rest, postings.rests[g]), m, postings.lengths[g])) {
          scan(postings.entries[g], postings.sizes[g]);
        }
      }
    }

    private void scan(long[] entries, int size) {
      long sketch0 = list.sketch0();
      long sketch1 = list.sketch1();
      for (int e = 0; e < size; e += Postings.ENTRY) {
        int differing =
            Long.bitCount(entries[e + 1] ^ sketch0) + Long.bitCount(entries[e + 2] ^ sketch1);
        if (differing < allowance + Float.intBitsToFloat((int) entries[e])) {
          int member = (int) (entries[e] >>> 32);
          if (member >= before) {
            return;
          }
          if (lastQuery[member] != query) {
            lastQuery[member] = query;
            verify(member);
          }
        }
      }
    }

    private void verify(int member) {
      if (pattern == null) {
        pattern = new LcsPattern(list.sequence());
      }
      TokenList other = members.get(member);
      int lcs = pattern.lengthWith(other.sequence());
      double score = RougeL.fMeasure(lcs, list.length(), other.length());
      if (score > threshold) {
        int at = found.size();
        while (at > 0 && found.get(at - 1).member() > member) {
          at--;
        }
        found.add(at, new Match(member, score));
        if (found.size() > limit) {
          found.remove(limit);
        }
        if (found.size() == limit) {
          before = found.get(limit - 1).member();
        }
      }
    }
  }
}
