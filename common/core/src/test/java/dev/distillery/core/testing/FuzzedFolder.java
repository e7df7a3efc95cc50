package dev.distillery.core.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder of two files out of one input: two bytes with the length of the first, then both. */
public final class FuzzedFolder implements AutoCloseable {
  private final Path folder;

  /**
   * Writes the folder.
   *
   * @param first path of a file in it
   * @param second path of the other
   */
  public FuzzedFolder(byte[] data, String first, String second) throws IOException {
    this.folder = Files.createTempDirectory("fuzz");
    int begin = Math.min(2, data.length);
    int length = begin < 2 ? 0 : (data[0] & 0xff) | (data[1] & 0xff) << 8;
    int end = Math.min(data.length, begin + length);
    write(first, Arrays.copyOfRange(data, begin, end));
    write(second, Arrays.copyOfRange(data, end, data.length));
  }

  private void write(String name, byte[] data) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, data);
  }

  public Path path() {
    return folder;
  }

  /** Whether a message names one of the files, or the folder of both. */
  public boolean isNamedIn(Throwable error) {
    return String.valueOf(error.getMessage()).contains(folder.toString());
  }

  @Override
  public void close() throws IOException {
    try (Stream<Path> all = Files.walk(folder)) {
      all.sorted(Comparator.reverseOrder()).forEach(FuzzedFolder::delete);
    }
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
