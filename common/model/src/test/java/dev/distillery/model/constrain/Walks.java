package dev.distillery.model.constrain;

import dev.distillery.model.constrain.JsonConstraint.State;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/** Texts that a constraint lets through. */
final class Walks {
  private static final int MOST = 200_000;

  private Walks() {}

  /**
   * A text that ends: some bytes by chance, then always what closes most.
   *
   * @param free bytes that are drawn
   * @throws IllegalStateException where no byte may follow, or it does not end
   */
  static byte[] text(JsonConstraint constraint, SplittableRandom random, int free) {
    var text = new ByteArrayOutputStream();
    State state = constraint.begin();
    for (int i = 0; i < MOST; i++) {
      if (state.isComplete() && (!state.goesOn() || i >= free || random.nextInt(4) == 0)) {
        return text.toByteArray();
      }
      int b = i < free ? drawn(state, random) : closing(state);
      if (b < 0) {
        throw new IllegalStateException(
            "Nothing may follow on " + text.toString(StandardCharsets.UTF_8));
      }
      text.write(b);
      state = state.next(b);
    }
    throw new IllegalStateException("No end: " + text.toString(StandardCharsets.UTF_8));
  }

  static boolean lives(State state) {
    return state.goesOn() || state.isComplete();
  }

  private static int drawn(State state, SplittableRandom random) {
    // Structure is rare among bytes, and is what a test wants.
    String likely = "\"\"{}[]:,0123456789-.eE tfn\\u\nd8";
    for (int i = 0; i < 8; i++) {
      int b =
          random.nextBoolean()
              ? likely.charAt(random.nextInt(likely.length()))
              : random.nextInt(256);
      if (lives(state.next(b))) {
        return b;
      }
    }
    int from = random.nextInt(256);
    for (int i = 0; i < 256; i++) {
      if (lives(state.next((from + i) % 256))) {
        return (from + i) % 256;
      }
    }
    return -1;
  }

  private static int closing(State state) {
    for (char b : "\"}]".toCharArray()) {
      if (lives(state.next(b))) {
        return b;
      }
    }
    // Neither space nor escape, if it can be.
    for (int b = '0'; b < '0' + 256; b++) {
      if (b % 256 != '\\' && lives(state.next(b % 256))) {
        return b % 256;
      }
    }
    return lives(state.next('\\')) ? '\\' : -1;
  }
}
