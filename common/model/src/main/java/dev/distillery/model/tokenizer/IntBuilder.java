package dev.distillery.model.tokenizer;

import java.util.Arrays;

/** A growing array of ints. */
final class IntBuilder {
  private int[] items = new int[64];
  private int size;

  void add(int item) {
    if (size == items.length) {
      items = Arrays.copyOf(items, 2 * size);
    }
    items[size++] = item;
  }

  void add(int[] from, int count) {
    for (int i = 0; i < count; i++) {
      add(from[i]);
    }
  }

  int[] toArray() {
    return Arrays.copyOf(items, size);
  }
}
