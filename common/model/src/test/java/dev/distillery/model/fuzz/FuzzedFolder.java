package dev.distillery.model.fuzz;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A folder of two files out of one input: two bytes with the length of the first, then both. */
final class FuzzedFolder implements AutoCloseable {
  private final Path folder;
  private final Path first;
  private final Path second;

  FuzzedFolder(byte[] data, String first, String second) throws IOException {
    this.folder = Files.createTempDirectory("fuzz");
    this.first = folder.resolve(first);
    this.second = folder.resolve(second);
    int begin = Math.min(2, data.length);
    int length = begin < 2 ? 0 : (data[0] & 0xff) | (data[1] & 0xff) << 8;
    int end = Math.min(data.length, begin + length);
    Files.write(this.first, Arrays.copyOfRange(data, begin, end));
    Files.write(this.second, Arrays.copyOfRange(data, end, data.length));
  }

  Path path() {
    return folder;
  }

  /** Whether a message names one of the files, or the folder of both. */
  boolean isNamedIn(Throwable error) {
    return String.valueOf(error.getMessage()).contains(folder.toString());
  }

  @Override
  public void close() throws IOException {
    Files.delete(first);
    Files.delete(second);
    Files.delete(folder);
  }
}
