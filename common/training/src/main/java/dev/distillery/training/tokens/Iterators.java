package dev.distillery.training.tokens;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.PrimitiveIterator;
import java.util.function.Function;

/** Iterators over iterators, one element in memory at a time. */
final class Iterators {
  private Iterators() {}

  static <A, B> Iterator<B> map(Iterator<A> given, Function<A, B> function) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return given.hasNext();
      }

      @Override
      public B next() {
        return function.apply(given.next());
      }
    };
  }

  /** The numbers of all arrays. */
  static PrimitiveIterator.OfInt flatten(Iterator<int[]> arrays) {
    return new PrimitiveIterator.OfInt() {
      private int[] now = new int[0];
      private int at;

      @Override
      public boolean hasNext() {
        while (at == now.length && arrays.hasNext()) {
          now = arrays.next();
          at = 0;
        }
        return at < now.length;
      }

      @Override
      public int nextInt() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return now[at++];
      }
    };
  }
}
