package dev.distillery.core.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Replays the inputs of a fuzzer's target, without the fuzzer. */
public final class Corpus {
  private static final int VARIANTS = 40;

  private Corpus() {}

  /** A target. */
  @FunctionalInterface
  public interface Target {
    void read(byte[] data) throws Exception;
  }

  /** The inputs of {@code src/test/fuzz/name}; there is at least one. */
  public static List<Path> seeds(String name) throws IOException {
    try (Stream<Path> found = Files.list(Path.of("src/test/fuzz", name))) {
      List<Path> files = found.sorted().toList();
      assertThat(files).as(name).isNotEmpty();
      return files;
    }
  }

  /** Gives every input of {@code src/test/fuzz/name}, and variants of it, to the target. */
  public static int replay(String name, Target target) throws Exception {
    int inputs = 0;
    for (Path file : seeds(name)) {
      byte[] whole = Files.readAllBytes(file);
      read(target, whole, file, "whole");
      byte[] twice = Arrays.copyOf(whole, 2 * whole.length);
      System.arraycopy(whole, 0, twice, whole.length, whole.length);
      read(target, twice, file, "twice");
      for (int i = 0; i < VARIANTS && whole.length > 0; i++) {
        int at = (int) ((long) whole.length * i / VARIANTS);
        read(target, Arrays.copyOf(whole, at), file, "cut at " + at);
        byte[] changed = whole.clone();
        changed[at] ^= (byte) (1 << i % 8);
        read(target, changed, file, "changed at " + at);
        inputs += 2;
      }
      inputs += 2;
    }
    return inputs;
  }

  private static void read(Target target, byte[] data, Path file, String variant) {
    try {
      target.read(data);
    } catch (Exception | StackOverflowError e) {
      throw new AssertionError(file + ", " + variant + ": " + e, e);
    }
  }
}
