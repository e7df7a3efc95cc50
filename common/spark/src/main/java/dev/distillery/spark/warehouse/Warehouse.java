package dev.distillery.spark.warehouse;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.FileContext;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Options;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.hadoop.fs.permission.FsAction;
import org.apache.hadoop.security.AccessControlException;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.hadoop.util.HadoopInputFile;

/** The folder that holds all tables, and where in it everything lies. */
public final class Warehouse {
  /** A record is a few kilobytes; what is larger than this is none of ours. */
  private static final long MAX_TEXT_BYTES = 64L << 20;

  /** Hadoop's name for a PUT that fails where there is an object already. */
  private static final String CONDITIONAL = "fs.option.create.conditional.overwrite";

  private final Path root;
  private final Configuration hadoop;
  private final FileSystem files;

  private Warehouse(Path root, Configuration hadoop, FileSystem files) {
    this.root = root;
    this.hadoop = hadoop;
    this.files = files;
  }

  /**
   * Opens a warehouse; nothing is made yet.
   *
   * @param uri local path or Hadoop URI; a relative path is taken from the current directory
   */
  public static Warehouse at(String uri, Configuration hadoop) {
    try {
      Path path = new Path(uri);
      FileSystem files = path.getFileSystem(hadoop);
      return new Warehouse(files.makeQualified(path), hadoop, files);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot open the warehouse " + uri + ": " + e.getMessage(), e);
    }
  }

  public Path root() {
    return root;
  }

  public Configuration hadoop() {
    return hadoop;
  }

  public FileSystem files() {
    return files;
  }

  /**
   * Makes sure, without writing, that the warehouse can be written: the folder or the nearest one
   * above it that is there. An object store tells only that it can be reached.
   *
   * @throws JobException where it cannot
   */
  public void checkWritable() {
    Path folder = root;
    try {
      while (!files.exists(folder) && folder.getParent() != null) {
        folder = folder.getParent();
      }
      if (!isObjectStore() && !files.getFileStatus(folder).isDirectory()) {
        throw JobException.invalid("Option --warehouse: " + folder + " is a file; name a folder");
      }
      if (local().isPresent()) {
        if (!Files.isWritable(local().get().pathToFile(folder).toPath())) {
          throw new AccessControlException("no permission to write");
        }
      } else {
        files.access(folder, FsAction.WRITE);
      }
    } catch (AccessControlException e) {
      throw new JobException(
          ExitCode.INVALID,
          "Option --warehouse: cannot write in " + folder + ": " + e.getMessage(),
          e);
    } catch (IOException e) {
      throw new JobException(
          ExitCode.TEMPORARY, "The warehouse " + root + " cannot be reached: " + e.getMessage(), e);
    }
  }

  /** A run's rows of one table, once they are visible. */
  public Path table(String table, String runId) {
    return new Path(new Path(root, table), "run_id=" + runId);
  }

  /**
   * A run's rows of one table where they take the place of what the run wrote before; they are
   * moved to {@link #table(String, String)} once they are committed. No run id has such a name.
   */
  public Path table(String table, String runId, int generation) {
    return generation <= 1
        ? table(table, runId)
        : new Path(new Path(root, table), "run_id=" + runId + "~" + generation);
  }

  /** A run's rows of one table while they are being written. */
  public Path staging(String table, String runId) {
    return new Path(staging(runId), table);
  }

  /** All that a run stages. */
  public Path staging(String runId) {
    return new Path(new Path(root, "_staging"), runId);
  }

  /** Requests and replies of a run. */
  public Path ledger(String runId) {
    return new Path(new Path(root, "_ledger"), runId);
  }

  /** What a run has made beside rows and replies, so that another try goes on from it. */
  public Path work(String runId) {
    return new Path(new Path(root, "_work"), runId);
  }

  /** Records of all runs. */
  public Path runs() {
    return new Path(root, "_runs");
  }

  /** The record of a run. */
  public Path record(String runId) {
    return new Path(runs(), runId + ".json");
  }

  /** The marks of all drivers, a folder a run. */
  public Path leases() {
    return new Path(root, "_leases");
  }

  /** The marks of the drivers that work on a run. */
  public Path leases(String runId) {
    return new Path(leases(), runId);
  }

  /** A small text file, if it is there. */
  public Optional<String> readText(Path path) {
    try {
      FileStatus status = files.getFileStatus(path);
      if (status.getLen() > MAX_TEXT_BYTES) {
        throw new IllegalStateException(
            path + " has " + status.getLen() + " bytes, more than a record has");
      }
      FileSystem plain = local().isPresent() ? local().get() : files;
      try (var in = plain.open(path)) {
        return Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
      }
    } catch (FileNotFoundException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Writes a small text so that a reader sees the old one or the new one, never a part and never
   * none: a temporary file and an atomic replace where there is a directory tree, one PUT on an
   * object store.
   */
  public void writeText(Path path, String text) {
    try {
      if (isObjectStore()) {
        try (FSDataOutputStream out = files.create(path, true)) {
          out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return;
      }
      Path temporary = temporary(path, text);
      if (local().isPresent()) {
        // Hadoop's own rename takes the old file away first, and a checksum file beside it races.
        Files.move(
            local().get().pathToFile(temporary).toPath(),
            local().get().pathToFile(path).toPath(),
            StandardCopyOption.ATOMIC_MOVE,
            StandardCopyOption.REPLACE_EXISTING);
        Files.deleteIfExists(
            local()
                .get()
                .pathToFile(new Path(path.getParent(), "." + path.getName() + ".crc"))
                .toPath());
        return;
      }
      FileContext.getFileContext(path.toUri(), hadoop)
          .rename(temporary, path, Options.Rename.OVERWRITE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Creates a small text file, whole at once; false where there is one already. Of several that try
   * at the same time one succeeds, but see {@link #createsExclusively}.
   */
  public boolean createText(Path path, String text) {
    try {
      if (isObjectStore()) {
        return createObject(path, text);
      }
      Path temporary = temporary(path, text);
      try {
        if (local().isPresent()) {
          Files.createLink(
              local().get().pathToFile(path).toPath(),
              local().get().pathToFile(temporary).toPath());
        } else {
          FileContext.getFileContext(path.toUri(), hadoop).rename(temporary, path);
        }
        return true;
      } finally {
        files.delete(temporary, false);
      }
    } catch (FileAlreadyExistsException | java.nio.file.FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Whether {@link #createText} lets one of several win: everywhere but on S3 by a Hadoop that
   * cannot ask for it (before 3.4.2).
   */
  public boolean createsExclusively() {
    if (!files.getScheme().startsWith("s3")) {
      return true;
    }
    try {
      // Never built: it only says whether it knows the name.
      var unused =
          files.createFile(new Path(root, "_leases/probe")).create().must(CONDITIONAL, true);
      return true;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private boolean createObject(Path path, String text) throws IOException {
    var builder = files.createFile(path).overwrite(false).recursive();
    if (files.getScheme().startsWith("s3")) {
      // Older versions do not know it and look before they write, which two may do at once.
      builder.opt(CONDITIONAL, true);
    }
    try (FSDataOutputStream out = builder.build()) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (FileAlreadyExistsException e) {
      return false;
    } catch (IOException e) {
      // The refusal of a conditional PUT comes in several classes.
      if (files.exists(path) && !readText(path).equals(Optional.of(text))) {
        return false;
      }
      throw e;
    }
    return true;
  }

  /** A new file beside the path, out of readers' sight; nothing stays of one that fails. */
  private Path temporary(Path path, String text) throws IOException {
    Path temporary = new Path(path.getParent(), "." + path.getName() + "." + UUID.randomUUID());
    try {
      writeSynced(temporary, text.getBytes(StandardCharsets.UTF_8));
      return temporary;
    } catch (IOException e) {
      try {
        files.delete(temporary, false);
      } catch (IOException again) {
        e.addSuppressed(again);
      }
      throw e;
    }
  }

  private void writeSynced(Path path, byte[] bytes) throws IOException {
    if (local().isPresent()) {
      java.nio.file.Path file = local().get().pathToFile(path).toPath();
      Files.createDirectories(file.getParent());
      try (FileChannel out =
          FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer rest = ByteBuffer.wrap(bytes);
        while (rest.hasRemaining()) {
          out.write(rest);
        }
        out.force(false);
      }
      return;
    }
    try (FSDataOutputStream out = files.create(path, true)) {
      out.write(bytes);
      out.hsync();
    }
  }

  private Optional<RawLocalFileSystem> local() {
    return files instanceof LocalFileSystem local
            && local.getRawFileSystem() instanceof RawLocalFileSystem raw
        ? Optional.of(raw)
        : Optional.empty();
  }

  /** Whether a rename here is a copy. */
  private boolean isObjectStore() {
    return List.of("s3a", "s3", "gs", "abfs", "abfss", "oss", "cosn").contains(files.getScheme());
  }

  /**
   * Moves what a run staged for a table to where readers look, in place of what a dead attempt may
   * have left.
   *
   * @param generation of the run's record to come; above 1 the earlier one's rows stay
   */
  public void publish(String table, String runId, int generation) {
    move(staging(table, runId), table(table, runId, generation));
  }

  private void move(Path from, Path to) {
    try {
      files.delete(to, true);
      files.mkdirs(to.getParent());
      if (!files.rename(from, to)) {
        throw new IOException("Cannot rename " + from + " to " + to);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes what a run published and did not come to commit. */
  public void unpublish(String table, String runId, int generation) {
    delete(table(table, runId, generation));
  }

  /**
   * Moves the rows of a run that has replaced an earlier result to their place, and removes what
   * only the earlier one had. Its record is written already; done again it does no harm.
   */
  public void settle(RunRecord record) {
    for (String table : record.tables().keySet()) {
      Path replacing = table(table, record.runId(), record.generation());
      if (record.generation() > 1 && exists(replacing)) {
        move(replacing, table(table, record.runId()));
      }
    }
    try {
      for (FileStatus folder : files.listStatus(root)) {
        String table = folder.getPath().getName();
        if (folder.isDirectory() && !table.startsWith("_") && !record.has(table)) {
          delete(table(table, record.runId()));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether there is something at a path. */
  boolean exists(Path path) {
    try {
      return files.exists(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Removes a path and all below it, if it is there. */
  public void delete(Path path) {
    try {
      files.delete(path, true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Parquet files of a table's run. */
  public List<FileStatus> parquetFiles(Path folder) {
    try {
      var result = new ArrayList<FileStatus>();
      var iterator = files.listFiles(folder, true);
      while (iterator.hasNext()) {
        FileStatus status = iterator.next();
        if (status.getPath().getName().endsWith(".parquet")) {
          result.add(status);
        }
      }
      result.sort(Comparator.comparing(FileStatus::getPath));
      return result;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The footers of the Parquet files below a folder. */
  public List<ParquetMetadata> footers(Path folder) {
    // A footer is a few reads, and each may be a request to an object store.
    return parquetFiles(folder).parallelStream().map(this::footer).toList();
  }

  private ParquetMetadata footer(FileStatus file) {
    try (var reader = ParquetFileReader.open(HadoopInputFile.fromStatus(file, hadoop))) {
      return reader.getFooter();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + file.getPath() + ": " + e.getMessage(), e);
    }
  }
}
