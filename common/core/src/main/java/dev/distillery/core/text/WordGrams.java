package dev.distillery.core.text;

import dev.distillery.core.random.CounterRandom;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Runs of words as hashes of 64 bits: so many that a thousand million runs beside a million others
 * have the same hash by chance once in ten thousand times.
 */
public final class WordGrams {
  private WordGrams() {}

  /**
   * The hash of each run of so many words, in their order; none where there are fewer words. Runs
   * of different lengths have different hashes.
   */
  public static long[] hashes(List<String> words, int length) {
    int runs = words.size() - length + 1;
    if (runs <= 0) {
      return new long[0];
    }
    long[] single = words.stream().mapToLong(WordGrams::hash).toArray();
    long[] hashes = new long[runs];
    for (int i = 0; i < runs; i++) {
      long hash = length;
      for (int j = i; j < i + length; j++) {
        hash = CounterRandom.mix(hash * 31 + single[j]);
      }
      hashes[i] = hash;
    }
    return hashes;
  }

  /** FNV-1a over the word's UTF-8 bytes, mixed. */
  private static long hash(String word) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
      hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    }
    return CounterRandom.mix(hash);
  }
}
