package dev.distillery.spark.fanout;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.CommonPathCapabilities;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.hdfs.DistributedFileSystem;
import org.jspecify.annotations.Nullable;

/** Writes and reads the ledger's files. */
final class LedgerFiles {
  private static final long SYNC_NANOS = 1_000_000_000;
  private static final int MOST_TURNS = 600;
  private static final long TURN_MILLIS = 100;

  private LedgerFiles() {}

  /**
   * The file system of a path. Local files are written without checksum files, since those of an
   * object that a dying process has cut off would keep its whole lines from being read.
   */
  static FileSystem fileSystem(Path path, Configuration configuration) throws IOException {
    FileSystem fileSystem = path.getFileSystem(configuration);
    return fileSystem instanceof LocalFileSystem local ? local.getRawFileSystem() : fileSystem;
  }

  /**
   * Where the lines of one writer go. Where the file system can append, one file that is flushed
   * for each batch, so that the death of the process loses nothing, and synced every second against
   * the loss of power. Where it cannot, an object for each batch.
   *
   * @param name head of the files' names in the folder; no other writer has it
   */
  static LedgerWriter.Sink sink(FileSystem fileSystem, Path folder, String name)
      throws IOException {
    if (fileSystem instanceof RawLocalFileSystem local) {
      return new LocalFile(local.pathToFile(new Path(folder, name + ".jsonl")).toPath());
    }
    if (fileSystem.hasPathCapability(folder, CommonPathCapabilities.FS_APPEND)) {
      return new FlushedFile(fileSystem, new Path(folder, name + ".jsonl"));
    }
    return new Objects(fileSystem, folder, name);
  }

  private static byte[] bytes(List<String> lines) {
    return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /** When a file is synced. */
  private abstract static class SyncedFile implements LedgerWriter.Sink {
    private long syncedAt = System.nanoTime();
    private boolean dirty;

    abstract void sync() throws IOException;

    void written() throws IOException {
      dirty = true;
      idle();
    }

    @Override
    public void idle() throws IOException {
      if (dirty && System.nanoTime() - syncedAt > SYNC_NANOS) {
        sync();
        dirty = false;
        syncedAt = System.nanoTime();
      }
    }
  }

  /**
   * Without Hadoop, which starts a process (chmod) for each file where its native library is not
   * there: that took more CPU than the requests.
   */
  private static final class LocalFile extends SyncedFile {
    private final java.nio.file.Path path;
    private @Nullable FileChannel file;

    LocalFile(java.nio.file.Path path) {
      this.path = path;
    }

    @Override
    public void put(List<String> lines) throws IOException {
      if (file == null) {
        Files.createDirectories(path.getParent());
        file = FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      }
      ByteBuffer rest = ByteBuffer.wrap(bytes(lines));
      while (rest.hasRemaining()) {
        file.write(rest);
      }
      written();
    }

    @Override
    void sync() throws IOException {
      if (file != null) {
        file.force(false);
      }
    }

    @Override
    public void close() throws IOException {
      if (file != null) {
        sync();
        file.close();
      }
    }
  }

  /** A file of HDFS or its like. */
  private static final class FlushedFile extends SyncedFile {
    private final FileSystem fileSystem;
    private final Path path;
    private @Nullable FSDataOutputStream file;

    FlushedFile(FileSystem fileSystem, Path path) {
      this.fileSystem = fileSystem;
      this.path = path;
    }

    @Override
    public void put(List<String> lines) throws IOException {
      if (file == null) {
        file = fileSystem.create(path, false);
      }
      file.write(bytes(lines));
      file.hflush();
      written();
    }

    @Override
    void sync() throws IOException {
      if (file != null) {
        file.hsync();
      }
    }

    @Override
    public void close() throws IOException {
      if (file != null) {
        file.close();
      }
    }
  }

  /** Objects that are created once. */
  private static final class Objects implements LedgerWriter.Sink {
    private final FileSystem fileSystem;
    private final Path folder;
    private final String name;
    private int number;

    Objects(FileSystem fileSystem, Path folder, String name) {
      this.fileSystem = fileSystem;
      this.folder = folder;
      this.name = name;
    }

    @Override
    public void put(List<String> lines) throws IOException {
      number++;
      Path path = new Path(folder, String.format(Locale.ROOT, "%s-%06d.jsonl", name, number));
      try (FSDataOutputStream out = fileSystem.create(path, true)) {
        out.write(bytes(lines));
      }
    }

    @Override
    public void idle() {}

    @Override
    public void close() {}
  }

  /**
   * Ends the files that a dead process has left open, so that a reader sees all that was flushed:
   * HDFS tells the length of an open file too short.
   */
  static void endOpenFiles(Path folder, Configuration configuration) throws IOException {
    if (!(folder.getFileSystem(configuration) instanceof DistributedFileSystem hdfs)
        || !hdfs.exists(folder)) {
      return;
    }
    var files = hdfs.listFiles(folder, true);
    while (files.hasNext()) {
      Path file = files.next().getPath();
      for (int turn = 0; !hdfs.isFileClosed(file) && turn < MOST_TURNS; turn++) {
        if (hdfs.recoverLease(file)) {
          break;
        }
        try {
          Thread.sleep(TURN_MILLIS);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
          throw new InterruptedIOException("Interrupted while " + file + " was being ended");
        }
      }
    }
  }

  /** The lines of an object. */
  static List<String> lines(FileSystem fileSystem, Path path) throws IOException {
    try (var in = fileSystem.open(path)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
    }
  }
}
