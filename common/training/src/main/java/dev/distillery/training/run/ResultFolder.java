package dev.distillery.training.run;

import dev.distillery.core.run.JobException;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.WeightSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.deploy.SparkHadoopUtil;

/**
 * Keeps {@code --output-dir} from costing anybody a model: it is no folder that the job reads a
 * model from, and what a result would replace there was written by a training run, which leaves a
 * {@link #MARK}.
 */
public final class ResultFolder {
  /** Says that training runs write into a folder, and may replace what lies there. */
  static final String MARK = "written-by-distillery.txt";

  /** Where a value network of its own is written. */
  static final String VALUE_MODEL = "value-model";

  /** What its adapters stand on, where that was merged. */
  public static final String VALUE_BASE = "value-base";

  /** What runs write beside the model, the jobs' own files too. */
  private static final List<String> BESIDE =
      List.of(
          "README.md",
          CurvesPage.FILE,
          "held-out.html",
          "quality-by-rows.html",
          "metrics",
          "runs",
          "samples",
          "rollouts",
          "prompts",
          "eval-prompts",
          "initial",
          "base",
          VALUE_MODEL,
          VALUE_BASE);

  /** What runs of versions that left no mark left instead. */
  private static final Pattern SEGMENT = Pattern.compile("metrics-\\d{10}-\\d{10}\\.jsonl");

  private static final int SHOWN = 5;

  private ResultFolder() {}

  /**
   * A model that a job reads.
   *
   * @param option that names it, for messages
   * @param path of a folder or file; where it is an adapter, its base is read too
   */
  public record Read(String option, String path) {}

  /**
   * Refuses a folder in which the result would replace what is read, or what no training run wrote.
   * Writes nothing.
   *
   * @param others that are read beside {@code --model} and {@code --adapter}
   * @throws JobException naming the option, the folder and what to do
   */
  public static void check(StudentOptions student, List<Read> others) {
    List<Read> reads = new ArrayList<>(others);
    reads.add(new Read("--model", student.model()));
    student.adapter().ifPresent(adapter -> reads.add(new Read("--adapter", adapter)));
    OutputFolder folder = OutputFolder.at(student.outputDir(), SparkHadoopUtil.get().conf());
    try {
      if (folder.root().toUri().getScheme().equals("file")) {
        Path output = Path.of(folder.root().toUri().getPath());
        for (Read read : reads) {
          refuseOverlap(student.outputDir(), output, read);
        }
      }
      refuseOthersWork(student.outputDir(), folder);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot look into --output-dir " + student.outputDir() + ": " + e.getMessage(), e);
    }
  }

  /**
   * Marks the folder as one that training runs write into: before anything else is written there.
   *
   * @throws JobException where it holds what no training run wrote
   */
  public static void claim(String outputDir, Configuration hadoop) {
    OutputFolder folder = OutputFolder.at(outputDir, hadoop);
    try {
      refuseOthersWork(outputDir, folder);
      if (!folder.files().exists(folder.path(MARK))) {
        folder.writeWhole(
            folder.path(MARK),
            "A training run of distillery writes into this folder. Runs may replace its files.\n"
                .getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot write to --output-dir " + outputDir + ": " + e.getMessage(), e);
    }
  }

  private static void refuseOverlap(String outputDir, Path output, Read read) throws IOException {
    Path path = Path.of(read.path());
    if (!Files.exists(path)) {
      return;
    }
    refuseOverlap(outputDir, output, path, read.option() + " " + read.path());
    if (AdapterFiles.isAdapter(path)) {
      Path base = base(path);
      if (Files.exists(base)) {
        refuseOverlap(
            outputDir,
            output,
            base,
            "%s, on which %s %s stands".formatted(base, read.option(), read.path()));
      }
    }
  }

  /** The base that an adapter names; a broken one is refused by who reads it. */
  private static Path base(Path adapter) {
    try {
      AdapterFiles.Adapter read = AdapterFiles.read(adapter);
      try (WeightSource unused = read.weights()) {
        return Path.of(read.config().baseModel());
      }
    } catch (IOException e) {
      return adapter;
    }
  }

  private static void refuseOverlap(String outputDir, Path output, Path path, String read)
      throws IOException {
    Path to = real(output);
    Path from = real(path);
    String where = to.equals(from) ? "is" : to.startsWith(from) ? "lies in" : "contains";
    if (to.startsWith(from) || from.startsWith(to)) {
      throw JobException.invalid(
          "Option --output-dir: %s %s %s, which is read, and the result would replace files there; name a folder of its own"
              .formatted(outputDir, where, read));
    }
  }

  /** Without links, also where the last parts are not there yet. */
  private static Path real(Path path) throws IOException {
    Path whole = path.toAbsolutePath().normalize();
    Path there = whole;
    while (!Files.exists(there) && there.getParent() != null) {
      there = there.getParent();
    }
    return there.toRealPath().resolve(there.relativize(whole));
  }

  private static void refuseOthersWork(String outputDir, OutputFolder folder) throws IOException {
    List<String> found = new ArrayList<>();
    List<FileStatus> all = folder.list(folder.root());
    for (FileStatus file : all) {
      String name = file.getPath().getName();
      if (BESIDE.contains(name) || Checkpoints.isOne(name) || ResultWriter.isOfAModel(name)) {
        found.add(name);
      }
    }
    if (!found.isEmpty() && !isOurs(folder, all)) {
      String more = found.size() > SHOWN ? ", …" : "";
      throw JobException.invalid(
          "Option --output-dir: %s holds %s%s, which no training run wrote and which the result would replace; name a folder of its own, or move these away"
              .formatted(
                  outputDir,
                  String.join(", ", found.subList(0, Math.min(SHOWN, found.size()))),
                  more));
    }
  }

  private static boolean isOurs(OutputFolder folder, List<FileStatus> all) throws IOException {
    if (all.stream().anyMatch(file -> file.getPath().getName().equals(MARK))) {
      return true;
    }
    for (FileStatus file : folder.list(folder.path("metrics"))) {
      if (SEGMENT.matcher(file.getPath().getName()).matches()) {
        return true;
      }
    }
    return false;
  }
}
