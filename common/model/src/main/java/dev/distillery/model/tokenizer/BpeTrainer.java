package dev.distillery.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Trains byte-level BPE: counts the pieces of all texts, then merges the commonest pair of
 * neighbouring symbols again and again. The vocabulary is, in order: the special tokens, the
 * alphabet by its characters, the merges. The result depends on the texts' counts only, not on
 * their order, and is the same as that of Hugging Face's {@code BpeTrainer}.
 *
 * <p>Memory grows with the number of different pieces; counts may be made apart, over the parts of
 * a table, and added with {@link #addCount}. Not safe for concurrent use.
 */
public final class BpeTrainer {
  /** A pair to merge, as it stood when it was queued. */
  private record Candidate(long count, int left, int right, Set<Integer> words) {}

  /** The commonest first, then the lowest ids. */
  private static final Comparator<Candidate> COMMONEST =
      Comparator.comparingLong(Candidate::count)
          .reversed()
          .thenComparingInt(Candidate::left)
          .thenComparingInt(Candidate::right);

  private final PreTokenizer preTokenizer;
  private final Map<String, Long> counts = new TreeMap<>();

  public BpeTrainer(PreTokenizer preTokenizer) {
    this.preTokenizer = preTokenizer;
  }

  /** Counts a text's pieces. */
  public void add(String given) {
    String text = Texts.wellFormed(given);
    preTokenizer.cut(text, 0, text.length(), (from, to) -> addCount(text.substring(from, to), 1));
  }

  /** Adds to the count of a piece, as {@link #counts} has it. */
  public void addCount(String piece, long count) {
    counts.merge(piece, count, Math::addExact);
  }

  /** Pieces and how often they came. */
  public Map<String, Long> counts() {
    return new TreeMap<>(counts);
  }

  /**
   * The tokenizer for what was counted.
   *
   * @param vocabSize of the result, fewer where nothing is left to merge; at least that of the
   *     special tokens and the 256 bytes
   * @param minFrequency how often a pair must come to be merged
   * @param specialTokens get the first ids
   */
  public ByteLevelBpe train(int vocabSize, long minFrequency, List<String> specialTokens) {
    if (vocabSize < 256 + specialTokens.size() || vocabSize > Vocabulary.MAX_SIZE) {
      throw new IllegalArgumentException(
          "Vocabulary must have room for 256 bytes and "
              + specialTokens.size()
              + " special tokens, and at most "
              + Vocabulary.MAX_SIZE
              + ": "
              + vocabSize);
    }
    return new Run(vocabSize, minFrequency, specialTokens).train();
  }

  private final class Run {
    private final int vocabSize;
    private final long minFrequency;
    private final List<String> specialTokens;
    private final List<String> tokens = new ArrayList<>();
    private final Map<String, Integer> ids = new LinkedHashMap<>();
    private final List<int[]> words = new ArrayList<>();
    private final List<Long> wordCounts = new ArrayList<>();
    private final Map<Long, Long> pairCounts = new HashMap<>();
    private final PriorityQueue<Candidate> queue = new PriorityQueue<>(COMMONEST);

    Run(int vocabSize, long minFrequency, List<String> specialTokens) {
      this.vocabSize = vocabSize;
      this.minFrequency = Math.max(1, minFrequency);
      this.specialTokens = List.copyOf(specialTokens);
    }

    ByteLevelBpe train() {
      specialTokens.forEach(this::token);
      TreeSet<Character> alphabet = new TreeSet<>();
      for (int b = 0; b < 256; b++) {
        alphabet.add(ByteAlphabet.charOf(b));
      }
      alphabet.forEach(c -> token(String.valueOf(c)));
      counts.forEach(this::addWord);
      enqueue(initialPairs());
      List<String> merges = new ArrayList<>();
      while (tokens.size() < vocabSize && !queue.isEmpty()) {
        Candidate top = queue.remove();
        long count = pairCounts.getOrDefault(pair(top.left(), top.right()), 0L);
        if (count != top.count()) {
          queue.add(new Candidate(count, top.left(), top.right(), top.words()));
          continue;
        }
        if (count < minFrequency) {
          break;
        }
        merges.add(tokens.get(top.left()) + " " + tokens.get(top.right()));
        merge(top);
      }
      List<AddedToken> added = new ArrayList<>();
      for (int id = 0; id < specialTokens.size(); id++) {
        added.add(AddedToken.special(id, specialTokens.get(id)));
      }
      return new ByteLevelBpe(
          preTokenizer, ids, merges, added, false, false, new int[0], new int[0]);
    }

    private int token(String spelling) {
      return ids.computeIfAbsent(
          spelling,
          s -> {
            tokens.add(s);
            return tokens.size() - 1;
          });
    }

    private void addWord(String piece, long count) {
      byte[] bytes = piece.getBytes(StandardCharsets.UTF_8);
      int[] symbols = new int[bytes.length];
      for (int i = 0; i < symbols.length; i++) {
        symbols[i] = token(String.valueOf(ByteAlphabet.charOf(bytes[i] & 0xFF)));
      }
      words.add(symbols);
      wordCounts.add(count);
    }

    private Map<Long, Set<Integer>> initialPairs() {
      Map<Long, Set<Integer>> where = new HashMap<>();
      for (int word = 0; word < words.size(); word++) {
        int[] symbols = words.get(word);
        for (int i = 0; i + 1 < symbols.length; i++) {
          change(symbols[i], symbols[i + 1], 1, word, where);
        }
      }
      return where;
    }

    /** Merges a pair in all its words and queues the pairs that this makes. */
    private void merge(Candidate pair) {
      int result = token(tokens.get(pair.left()) + tokens.get(pair.right()));
      Map<Long, Set<Integer>> where = new HashMap<>();
      for (int word : pair.words()) {
        int[] symbols = words.get(word);
        int kept = 0;
        int[] merged = new int[symbols.length];
        for (int i = 0; i < symbols.length; ) {
          boolean here =
              symbols[i] == pair.left() && i + 1 < symbols.length && symbols[i + 1] == pair.right();
          if (!here) {
            merged[kept++] = symbols[i++];
            continue;
          }
          if (kept > 0) {
            change(merged[kept - 1], pair.left(), -1, word, where);
            change(merged[kept - 1], result, 1, word, where);
          }
          if (i + 2 < symbols.length) {
            change(pair.right(), symbols[i + 2], -1, word, where);
            change(result, symbols[i + 2], 1, word, where);
          }
          merged[kept++] = result;
          i += 2;
        }
        words.set(word, Arrays.copyOf(merged, kept));
      }
      enqueue(where);
    }

    private void change(int left, int right, int times, int word, Map<Long, Set<Integer>> where) {
      pairCounts.merge(pair(left, right), times * wordCounts.get(word), Long::sum);
      if (times > 0) {
        where.computeIfAbsent(pair(left, right), p -> new TreeSet<>()).add(word);
      }
    }

    private void enqueue(Map<Long, Set<Integer>> where) {
      where.forEach(
          (pair, inWords) -> {
            long count = pairCounts.getOrDefault(pair, 0L);
            if (count > 0) {
              queue.add(new Candidate(count, (int) (pair >>> 32), (int) (long) pair, inWords));
            }
          });
    }

    private static long pair(int left, int right) {
      return ((long) left << 32) | right;
    }
  }
}
