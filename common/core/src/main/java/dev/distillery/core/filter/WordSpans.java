package dev.distillery.core.filter;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.text.Whitespace;
import java.util.Arrays;

/**
 * A text's words between white space, as numbers: where each begins and ends, how many characters
 * it has, and a hash of it. Rules over thousands of n-grams make no strings.
 */
final class WordSpans {
  private static final long PRIME = 0x100000001b3L;

  private final String text;
  private int[] starts = new int[64];
  private int[] ends = new int[64];
  private int[] chars = new int[64];
  private long[] hashes = new long[64];
  private int size;

  private WordSpans(String text) {
    this.text = text;
  }

  static WordSpans of(String text) {
    var words = new WordSpans(text);
    int start = -1;
    int chars = 0;
    long hash = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Whitespace.isSpace(c)) {
        if (start >= 0) {
          words.add(start, i, chars, hash);
          start = -1;
        }
        continue;
      }
      if (start < 0) {
        start = i;
        chars = 0;
        hash = 0xcbf29ce484222325L;
      }
      chars += Character.isLowSurrogate(c) ? 0 : 1;
      hash = (hash ^ c) * PRIME;
    }
    if (start >= 0) {
      words.add(start, text.length(), chars, hash);
    }
    return words;
  }

  private void add(int start, int end, int length, long hash) {
    if (size == starts.length) {
      starts = Arrays.copyOf(starts, 2 * size);
      ends = Arrays.copyOf(ends, 2 * size);
      chars = Arrays.copyOf(chars, 2 * size);
      hashes = Arrays.copyOf(hashes, 2 * size);
    }
    starts[size] = start;
    ends[size] = end;
    chars[size] = length;
    hashes[size++] = CounterRandom.mix(hash);
  }

  int size() {
    return size;
  }

  String word(int index) {
    return text.substring(starts[index], ends[index]);
  }

  /** Characters (code points) of a word. */
  int chars(int index) {
    return chars[index];
  }

  /** Characters of the words from one on, without what stands between them. */
  int chars(int first, int count) {
    int sum = 0;
    for (int i = first; i < first + count; i++) {
      sum += chars[i];
    }
    return sum;
  }

  /** A hash of the words from one on, in their order. */
  long hash(int first, int count) {
    long hash = count;
    for (int i = first; i < first + count; i++) {
      hash = CounterRandom.mix(hash * 31 + hashes[i]);
    }
    return hash;
  }
}
