package dev.distillery.datasets.read;

import dev.distillery.spark.warehouse.PathNames;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Cuts files into the parts that tasks read: as many as size and compression allow. */
public final class SplitPlanner {
  private SplitPlanner() {}

  /**
   * The splits of one file, in the order of the file. Those of a JSON document after the first do
   * not know yet what state they begin in, see {@link #resolve}.
   *
   * @param splitBytes wanted size of a split, stored
   */
  public static List<FileSplit> plan(InputFile file, long splitBytes, Configuration hadoop)
      throws IOException {
    boolean oneTask = file.layout() == Layout.WHOLE_FILE || file.layout() == Layout.JSON_SPLITS;
    if (oneTask || file.length() <= splitBytes + splitBytes / 2) {
      return List.of(FileSplit.whole(file));
    }
    List<Long> starts =
        switch (file.compression()) {
          case GZIP, PARQUET -> List.of(0L);
          case NONE, BZIP2 -> everySplitBytes(file.length(), splitBytes);
          case ZSTD -> frames(file, splitBytes, hadoop);
        };
    List<FileSplit> splits = new ArrayList<>();
    for (int i = 0; i < starts.size(); i++) {
      long start = starts.get(i);
      long end = i + 1 < starts.size() ? starts.get(i + 1) : Long.MAX_VALUE;
      boolean counted = i == 0 || file.compression() == Compression.NONE;
      splits.add(new FileSplit(file, start, end, JsonState.START, counted ? start : -1));
    }
    return splits;
  }

  /** Whether a file's splits must be scanned before they can be read. */
  public static boolean needsScan(List<FileSplit> splits) {
    return splits.size() > 1 && splits.get(0).file().layout().elementDepth() >= 0;
  }

  /**
   * Tells each split of a JSON document the state and the offset that it begins with.
   *
   * @param scans what each split does, in the order of the splits
   */
  public static List<FileSplit> resolve(List<FileSplit> splits, List<JsonScan> scans) {
    List<FileSplit> resolved = new ArrayList<>();
    JsonScan before = JsonScan.EMPTY;
    for (int i = 0; i < splits.size(); i++) {
      FileSplit split = splits.get(i);
      resolved.add(
          new FileSplit(
              split.file(),
              split.start(),
              split.end(),
              before.apply(JsonState.START),
              before.bytes()));
      before = before.then(scans.get(i));
    }
    return resolved;
  }

  /** What a split of a JSON document does to the state that it is entered in. */
  public static JsonScan scan(FileSplit split, Configuration hadoop, ReadLimits limits)
      throws IOException {
    JsonScan scan = JsonScan.EMPTY;
    try (ByteSource source = ByteSources.open(split, hadoop, limits.maxExpansion())) {
      // A byte order mark holds no bracket and no quote: it need not be skipped here.
      while (source.next() && !source.pastEnd()) {
        scan = scan.then(JsonScan.of(source.buffer(), source.length()));
      }
    }
    return scan;
  }

  private static List<Long> everySplitBytes(long length, long splitBytes) {
    List<Long> starts = new ArrayList<>();
    for (long start = 0; start < length && (start == 0 || length - start > splitBytes / 2); ) {
      starts.add(start);
      start += splitBytes;
    }
    return starts;
  }

  private static List<Long> frames(InputFile file, long splitBytes, Configuration hadoop)
      throws IOException {
    Path path = new Path(file.path());
    List<Long> starts = new ArrayList<>();
    starts.add(0L);
    try (var in = PathNames.fileSystem(path, hadoop).open(path)) {
      for (long frame : ZstdFrames.starts(in, file.length())) {
        if (frame - starts.get(starts.size() - 1) >= splitBytes) {
          starts.add(frame);
        }
      }
    }
    return starts;
  }
}
