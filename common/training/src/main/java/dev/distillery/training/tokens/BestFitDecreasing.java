package dev.distillery.training.tokens;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Best fit decreasing: longest first, each into the fullest bin that still has room, or into a new
 * one. Which sequences share a bin, and the order of bins and within them, are those of TRL's
 * {@code pack_dataset} with the strategy {@code bfd}: of equal lengths the earlier comes first, of
 * bins with equal room the one that has had it longest.
 */
final class BestFitDecreasing {
  /**
   * So many sequences are packed at a time, as TRL does through {@code Dataset.map}: a bound on
   * memory, and nearly as good as all at once.
   */
  static final int WINDOW = 1000;

  private BestFitDecreasing() {}

  /**
   * Indices of the sequences in each bin.
   *
   * @param lengths each from 1 to {@code capacity}
   */
  static List<List<Integer>> bins(int[] lengths, int capacity) {
    List<Integer> order =
        IntStream.range(0, lengths.length)
            .boxed()
            .sorted(Comparator.comparingInt((Integer i) -> -lengths[i]))
            .toList();
    List<List<Integer>> bins = new ArrayList<>();
    TreeMap<Integer, Deque<List<Integer>>> byRoom = new TreeMap<>();
    for (int i : order) {
      var best = byRoom.ceilingEntry(lengths[i]);
      int room = best == null ? capacity : best.getKey();
      List<Integer> bin;
      if (best == null) {
        bin = new ArrayList<>();
        bins.add(bin);
      } else {
        bin = best.getValue().removeFirst();
        if (best.getValue().isEmpty()) {
          byRoom.remove(room);
        }
      }
      bin.add(i);
      if (room > lengths[i]) {
        byRoom.computeIfAbsent(room - lengths[i], r -> new ArrayDeque<>()).addLast(bin);
      }
    }
    return Collections.unmodifiableList(bins);
  }

  /** The sequences, in their order, as packed ones. */
  static List<TokenSequence> pack(List<TokenSequence> sequences, int capacity) {
    int[] lengths = sequences.stream().mapToInt(sequence -> sequence.ids().length).toArray();
    return bins(lengths, capacity).stream()
        .map(bin -> joined(bin.stream().map(sequences::get).toList()))
        .toList();
  }

  private static TokenSequence joined(List<TokenSequence> documents) {
    int length = documents.stream().mapToInt(document -> document.ids().length).sum();
    int[] ids = new int[length];
    float[] weights = new float[length];
    int[] starts = new int[documents.size()];
    float[] figures =
        new float[documents.stream().mapToInt(document -> document.figures().length).sum()];
    int at = 0;
    int figure = 0;
    for (int d = 0; d < starts.length; d++) {
      TokenSequence document = documents.get(d);
      starts[d] = at;
      System.arraycopy(document.figures(), 0, figures, figure, document.figures().length);
      figure += document.figures().length;
      System.arraycopy(document.ids(), 0, ids, at, document.ids().length);
      System.arraycopy(document.weights(), 0, weights, at, document.ids().length);
      at += document.ids().length;
    }
    return new TokenSequence(ids, weights, starts).with(figures);
  }
}
