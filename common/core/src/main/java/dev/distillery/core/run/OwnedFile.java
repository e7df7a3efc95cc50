package dev.distillery.core.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Local files that one process writes at a time. */
public final class OwnedFile {
  private OwnedFile() {}

  /**
   * Opens a file, or makes it with its folder, for good. It belongs to this process until the
   * channel is closed, or another channel of the same file is: read it through this one.
   *
   * @param option that names it, for messages
   * @throws JobException where another process has it
   */
  public static FileChannel open(String option, Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Files.createDirectories(folder);
    FileChannel channel =
        FileChannel.open(
            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    try {
      if (!lock(channel)) {
        throw JobException.invalid(
            "Option %s: another process writes %s; end it, or name another file"
                .formatted(option, file));
      }
      try (FileChannel parent = FileChannel.open(folder)) {
        parent.force(true);
      }
      return channel;
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static boolean lock(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }
}
