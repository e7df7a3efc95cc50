package dev.distillery.datasets.read;

import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.SerializableConfiguration;
import org.apache.spark.util.TaskCompletionListener;

/** Reads the rows of files as an RDD; small files share a partition. */
public final class RowSplits {
  private RowSplits() {}

  /** The rows of all files; a row stands with the split that it begins in. */
  public static JavaRDD<RawRow> read(
      SparkContext spark, List<InputFile> files, long splitBytes, ReadLimits limits)
      throws IOException {
    JavaSparkContext context = JavaSparkContext.fromSparkContext(spark);
    SerializableConfiguration hadoop = new SerializableConfiguration(spark.hadoopConfiguration());
    List<FileSplit> splits = plan(context, hadoop, files, splitBytes, limits);
    return splits.isEmpty()
        ? context.emptyRDD()
        : context
            .parallelize(splits, partitions(context, splits, splitBytes))
            .mapPartitions(parts -> rows(parts, hadoop.value(), limits));
  }

  private static int partitions(JavaSparkContext context, List<FileSplit> splits, long splitBytes) {
    long bytes = 0;
    for (FileSplit split : splits) {
      bytes += Math.min(split.end(), split.file().length()) - split.start();
    }
    long wanted = Math.max(context.defaultParallelism(), bytes / splitBytes + 1);
    return (int) Math.min(splits.size(), wanted);
  }

  private static List<FileSplit> plan(
      JavaSparkContext context,
      SerializableConfiguration hadoop,
      List<InputFile> files,
      long splitBytes,
      ReadLimits limits)
      throws IOException {
    List<List<FileSplit>> byFile = new ArrayList<>();
    List<FileSplit> toScan = new ArrayList<>();
    for (InputFile file : files) {
      List<FileSplit> splits = SplitPlanner.plan(file, splitBytes, hadoop.value());
      byFile.add(splits);
      if (SplitPlanner.needsScan(splits)) {
        toScan.addAll(splits);
      }
    }
    List<JsonScan> scans =
        toScan.isEmpty()
            ? List.of()
            : context
                .parallelize(toScan, toScan.size())
                .map(split -> SplitPlanner.scan(split, hadoop.value(), limits))
                .collect();
    List<FileSplit> planned = new ArrayList<>();
    int scanned = 0;
    for (List<FileSplit> splits : byFile) {
      if (SplitPlanner.needsScan(splits)) {
        planned.addAll(
            SplitPlanner.resolve(splits, scans.subList(scanned, scanned + splits.size())));
        scanned += splits.size();
      } else {
        planned.addAll(splits);
      }
    }
    return planned;
  }

  private static Iterator<RawRow> rows(
      Iterator<FileSplit> splits, Configuration hadoop, ReadLimits limits) {
    return new Chained(splits, hadoop, limits);
  }

  /** One reader after another; each is closed when its task ends, if not before. */
  private static final class Chained implements Iterator<RawRow>, Serializable {
    private static final long serialVersionUID = 1L;

    private final transient Iterator<FileSplit> splits;
    private final transient Configuration hadoop;
    private final ReadLimits limits;
    private transient RowReader reader;

    Chained(Iterator<FileSplit> splits, Configuration hadoop, ReadLimits limits) {
      this.splits = splits;
      this.hadoop = hadoop;
      this.limits = limits;
    }

    @Override
    public boolean hasNext() {
      while (reader == null || !reader.hasNext()) {
        if (!splits.hasNext()) {
          return false;
        }
        reader = open(splits.next());
      }
      return true;
    }

    private RowReader open(FileSplit split) {
      try {
        RowReader opened = RowReader.open(split, hadoop, limits);
        TaskContext task = TaskContext.get();
        if (task != null) {
          task.addTaskCompletionListener((TaskCompletionListener) ended -> close(opened));
        }
        return opened;
      } catch (IOException e) {
        throw new UncheckedIOException(
            "Cannot open " + split.file().path() + ": " + e.getMessage(), e);
      }
    }

    private static void close(RowReader opened) {
      try {
        opened.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public RawRow next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      return reader.next();
    }
  }
}
