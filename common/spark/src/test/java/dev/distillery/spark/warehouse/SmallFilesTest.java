package dev.distillery.spark.warehouse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.util.List;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.util.Progressable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SmallFilesTest {
  @TempDir java.nio.file.Path temp;

  @Test
  void aNameWithoutAFolderIsAFileHereAndIsReplaced() throws IOException {
    String name = "small-files-" + UUID.randomUUID() + ".txt";
    java.nio.file.Path file = java.nio.file.Path.of(name);
    try {
      SmallFiles.write(new Path(name), "first", new Configuration());
      SmallFiles.write(new Path(name), "second", new Configuration());

      assertEquals("second", Files.readString(file));
    } finally {
      Files.deleteIfExists(file);
    }
  }

  @Test
  void aFileInAFolderThatIsNotThereMakesTheFolder() throws IOException {
    java.nio.file.Path file = temp.resolve("a/b/page.html");

    SmallFiles.write(new Path(file.toUri()), "text", new Configuration());

    assertEquals("text", Files.readString(file));
    try (var left = Files.list(file.getParent())) {
      assertEquals(List.of(file), left.toList());
    }
  }

  @Test
  void nothingIsLeftOnAFullDisk() throws IOException {
    Configuration hadoop = new Configuration();
    hadoop.setClass("fs.full.impl", FullDisk.class, RawLocalFileSystem.class);
    Files.writeString(temp.resolve("page.html"), "the one of before");

    var thrown =
        assertThrows(
            UncheckedIOException.class,
            () -> SmallFiles.write(new Path("full://" + temp + "/page.html"), "new", hadoop));

    assertEquals("No space left on device", thrown.getCause().getMessage());
    assertEquals("the one of before", Files.readString(temp.resolve("page.html")));
    try (var left = Files.list(temp)) {
      assertEquals(List.of(temp.resolve("page.html")), left.toList());
    }
  }

  /** A file can be made on it, and nothing fits into the file. */
  public static final class FullDisk extends RawLocalFileSystem {
    @Override
    public String getScheme() {
      return "full";
    }

    @Override
    public URI getUri() {
      return URI.create("full:///");
    }

    @Override
    public FSDataOutputStream create(
        Path path,
        boolean overwrite,
        int bufferSize,
        short replication,
        long blockSize,
        Progressable progress)
        throws IOException {
      var out = super.create(path, overwrite, bufferSize, replication, blockSize, progress);
      return new FSDataOutputStream(
          new FilterOutputStream(out) {
            @Override
            public void write(byte[] bytes, int from, int length) throws IOException {
              throw new IOException("No space left on device");
            }
          },
          null);
    }
  }
}
