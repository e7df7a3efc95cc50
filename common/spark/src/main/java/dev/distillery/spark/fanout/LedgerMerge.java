package dev.distillery.spark.fanout;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Merges the small files of a run's ledger when the run is done, without a moment at which a reader
 * would find a line twice or not at all:
 *
 * <ol>
 *   <li>{@code _merged/<attempt>.begun} says that a merge may be half done: from here on readers
 *       look at {@code _merged} first.
 *   <li>The lines go into {@code <attempt>-merged/}, and those of the grants into {@code
 *       _granted/<attempt>-merged-*}, which nobody reads yet.
 *   <li>{@code _merged/<attempt>.replaces} names the files that they replace: with it readers take
 *       the merged ones and pass over those.
 *   <li>What is replaced is deleted.
 * </ol>
 *
 * Files that a task of another attempt may still be writing are left alone.
 */
final class LedgerMerge {
  /** Folder of the marks, in a run's ledger. */
  static final String MARKS = "_merged";

  private static final String BEGUN = ".begun";
  private static final String REPLACES = ".replaces";
  private static final String MERGED = "-merged";
  private static final String GRANTED = Ledger.GRANTED + "/";

  /** Fewer files than this are well as they are, and so are larger ones. */
  private static final int LEAST_FILES = 16;

  private static final long SMALL_BYTES = 1 << 20;
  private static final long MERGED_BYTES = 64 << 20;
  private static final long QUIET_MILLIS = 600_000;

  private final FileSystem files;
  private final Path run;

  LedgerMerge(FileSystem files, Path run) {
    this.files = files;
    this.run = run;
  }

  /** A file of the ledger, by its path below the run's folder. */
  private record Entry(String name, long bytes, long modified) {}

  /**
   * What the folder holds.
   *
   * @param read the files that hold the ledger's lines, each line once
   * @param replaced files that a merge has replaced and did not come to delete
   */
  private record Content(List<Entry> read, List<Entry> replaced) {}

  private Content content() throws IOException {
    Set<String> replaced = new HashSet<>();
    Set<String> done = new HashSet<>();
    for (FileStatus mark : marks()) {
      String name = mark.getPath().getName();
      if (name.endsWith(REPLACES)) {
        done.add(name.substring(0, name.length() - REPLACES.length()) + MERGED);
        replaced.addAll(LedgerFiles.lines(files, mark.getPath()));
      }
    }
    List<Entry> all = all();
    return new Content(
        all.stream()
            .filter(file -> !replaced.contains(file.name()))
            .filter(file -> mergedBy(file.name()).map(done::contains).orElse(true))
            .toList(),
        all.stream().filter(file -> replaced.contains(file.name())).toList());
  }

  /** Whether readers must ask {@link #replies} and {@link #grants} what is to be read. */
  boolean everBegan() throws IOException {
    return !marks().isEmpty();
  }

  /** Paths of the files of replies that are to be read. */
  List<Path> replies() throws IOException {
    return content().read().stream()
        .filter(file -> !file.name().startsWith(GRANTED))
        .map(file -> new Path(run, file.name()))
        .toList();
  }

  /** Paths of the files of grants that are to be read. */
  List<Path> grants() throws IOException {
    return content().read().stream()
        .filter(file -> file.name().startsWith(GRANTED))
        .map(file -> new Path(run, file.name()))
        .toList();
  }

  /**
   * Merges what is worth it. To be called by the run's own driver, when its tasks have ended.
   *
   * @param attempt the driver's, whose files nobody writes any more
   * @param whole whether no task of the attempt was lost, which may still be writing
   */
  void merge(
      JavaSparkContext spark,
      SerializableConfiguration configuration,
      String attempt,
      boolean whole)
      throws IOException {
    Content content = content();
    delete(content.replaced());
    long newest = content.read().stream().mapToLong(Entry::modified).max().orElse(0);
    List<Entry> small =
        content.read().stream()
            .filter(file -> file.bytes() < SMALL_BYTES)
            .filter(
                file ->
                    (whole && isOf(file.name(), attempt))
                        || newest - file.modified() > QUIET_MILLIS)
            .toList();
    if (small.size() < LEAST_FILES) {
      return;
    }
    write(new Path(marksFolder(), attempt + BEGUN), List.of());
    var bins = new TreeMap<String, List<String>>();
    bin(small.stream().filter(file -> !file.name().startsWith(GRANTED)).toList())
        .forEach((number, names) -> bins.put(attempt + MERGED + "/" + number + ".jsonl", names));
    bin(small.stream().filter(file -> file.name().startsWith(GRANTED)).toList())
        .forEach(
            (number, names) ->
                bins.put(GRANTED + attempt + MERGED + "-" + number + ".jsonl", names));
    var tasks = new ArrayList<Copy>();
    bins.forEach((target, names) -> tasks.add(new Copy(run.toString(), names, target)));
    spark.parallelize(tasks, tasks.size()).foreach(new CopyLines(configuration));
    write(
        new Path(marksFolder(), attempt + REPLACES),
        small.stream().map(Entry::name).sorted().toList());
    delete(small);
  }

  /** Whether a file is of the attempt: of one of its tasks, or its log of grants. */
  private static boolean isOf(String name, String attempt) {
    return name.startsWith(attempt + "-") || name.startsWith(GRANTED + attempt);
  }

  private Map<Integer, List<String>> bin(List<Entry> small) {
    var bins = new TreeMap<Integer, List<String>>();
    long bytes = 0;
    for (Entry file : small) {
      bytes += file.bytes();
      bins.computeIfAbsent((int) (bytes / MERGED_BYTES), number -> new ArrayList<>())
          .add(file.name());
    }
    return bins;
  }

  /** Whole folders at a time, where nothing else is in them: object stores are slow by the one. */
  private void delete(List<Entry> replaced) throws IOException {
    var folders = new HashMap<String, List<Entry>>();
    for (Entry file : replaced) {
      folders.computeIfAbsent(folder(file.name()), folder -> new ArrayList<>()).add(file);
    }
    for (Map.Entry<String, List<Entry>> folder : folders.entrySet()) {
      Path path = new Path(run, folder.getKey());
      boolean all =
          !folder.getKey().equals(Ledger.GRANTED)
              && files.listStatus(path).length == folder.getValue().size();
      if (all) {
        files.delete(path, true);
        continue;
      }
      for (Entry file : folder.getValue()) {
        files.delete(new Path(run, file.name()), false);
      }
    }
  }

  private static String folder(String name) {
    return name.substring(0, name.lastIndexOf('/'));
  }

  /** The merge that wrote a file, where one did. */
  private static Optional<String> mergedBy(String name) {
    String below = name.startsWith(GRANTED) ? name.substring(GRANTED.length()) : name;
    int end = below.indexOf(MERGED);
    return end < 0 ? Optional.empty() : Optional.of(below.substring(0, end) + MERGED);
  }

  private List<Entry> all() throws IOException {
    var all = new ArrayList<Entry>();
    for (FileStatus folder : files.listStatus(run)) {
      String name = folder.getPath().getName();
      if (!folder.isDirectory() || (name.startsWith("_") && !name.equals(Ledger.GRANTED))) {
        continue;
      }
      for (FileStatus file : files.listStatus(folder.getPath())) {
        String below = name + "/" + file.getPath().getName();
        if (file.isFile() && below.endsWith(".jsonl")) {
          all.add(new Entry(below, file.getLen(), file.getModificationTime()));
        }
      }
    }
    all.sort(Comparator.comparing(Entry::name));
    return all;
  }

  private Path marksFolder() {
    return new Path(run, MARKS);
  }

  private List<FileStatus> marks() throws IOException {
    return files.exists(marksFolder()) ? List.of(files.listStatus(marksFolder())) : List.of();
  }

  private void write(Path path, List<String> lines) throws IOException {
    try (OutputStream out = files.create(path, true)) {
      for (String line : lines) {
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  /** What one task merges: files into one, by their paths below the run's folder. */
  private record Copy(String run, List<String> sources, String target) implements Serializable {}

  /** Puts files one behind the other; a line that a dying process has cut off stays one. */
  private static final class CopyLines implements VoidFunction<Copy> {
    private static final long serialVersionUID = 1L;

    private final SerializableConfiguration configuration;

    CopyLines(SerializableConfiguration configuration) {
      this.configuration = configuration;
    }

    @Override
    public void call(Copy copy) throws IOException {
      var run = new Path(copy.run());
      FileSystem files = LedgerFiles.fileSystem(run, configuration.value());
      try (OutputStream out = files.create(new Path(run, copy.target()), true)) {
        for (String source : copy.sources()) {
          try (InputStream in = files.open(new Path(run, source))) {
            byte[] bytes = in.readAllBytes();
            out.write(bytes);
            if (bytes.length > 0 && bytes[bytes.length - 1] != '\n') {
              out.write('\n');
            }
          }
        }
      }
    }
  }
}
