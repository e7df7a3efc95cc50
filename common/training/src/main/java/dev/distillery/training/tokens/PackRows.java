package dev.distillery.training.tokens;

import dev.distillery.training.tokens.TokenSettings.Packing;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import java.io.IOException;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;

/**
 * Packs rows, window by window: a window is what is packed at once, a thousand rows or a buffer.
 *
 * @param settings length and kind of packing
 * @param windowStarts position of each window's first row, ascending, the first 0
 * @param documents whether the rows are documents
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
record PackRows(TokenSettings settings, long[] windowStarts, boolean documents)
    implements Serializable {

  /** The window of a position. */
  int window(long position) {
    int found = java.util.Arrays.binarySearch(windowStarts, position);
    return found >= 0 ? found : -found - 2;
  }

  /** Whole windows, in order, packed. */
  Iterator<Window> pack(Iterator<Tuple2<Long, byte[]>> rows) {
    return new Iterator<>() {
      private @Nullable Tuple2<Long, byte[]> next = rows.hasNext() ? rows.next() : null;

      @Override
      public boolean hasNext() {
        return next != null;
      }

      @Override
      public Window next() {
        if (next == null) {
          throw new NoSuchElementException();
        }
        int window = window(next._1());
        List<TokenSequence> sequences = new ArrayList<>();
        while (next != null && window(next._1()) == window) {
          sequences.add(decode(next._2()));
          next = rows.hasNext() ? rows.next() : null;
        }
        return packed(sequences);
      }
    };
  }

  /**
   * One window, packed.
   *
   * @param cut tokens left out
   * @param shared tokens that stand in several pairs
   * @param ends put between texts
   */
  record Window(List<TokenSequence> rows, long cut, long shared, long ends) {}

  private Window packed(List<TokenSequence> sequences) {
    if (settings.packing() == Packing.ISOLATED) {
      return new Window(BestFitDecreasing.pack(sequences, settings.maxLength()), 0, 0, 0);
    }
    boolean learnEnd = documents || settings.trainOn() == TrainOn.EVERYTHING;
    ConstantLength.Packed packed =
        ConstantLength.pack(sequences, settings.maxLength(), settings.eos(), learnEnd);
    return new Window(packed.rows(), packed.cut(), 0, packed.ends());
  }

  static TokenSequence decode(byte[] bytes) {
    try {
      return SequenceCodec.decode(bytes);
    } catch (IOException e) {
      throw new IllegalStateException("Rows that Spark moved have changed: " + e.getMessage(), e);
    }
  }

  /** Rows as they are. */
  static Iterator<Window> unpacked(Iterator<byte[]> rows) {
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return rows.hasNext();
      }

      @Override
      public Window next() {
        return new Window(Collections.singletonList(decode(rows.next())), 0, 0, 0);
      }
    };
  }
}
