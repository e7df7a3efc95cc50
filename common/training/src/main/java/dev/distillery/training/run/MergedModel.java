package dev.distillery.training.run;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.MergedWeights;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.ScoreBias;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import dev.distillery.spark.job.JobRun;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * A model that training begins from and that is an adapter: merged into its base first, in float32,
 * so that new adapters stand on what the old ones had learned (StackLLaMA's merge between stages).
 * The head that an adapter brings goes with it.
 */
public final class MergedModel {
  /** The file that says of which adapter and base a folder is, by their hashes. */
  public static final String MARK = "merged-from.txt";

  /** What {@link #MARK} says meanwhile; nothing where a kill came as it was written. */
  private static final String UNFINISHED = "unfinished";

  private MergedModel() {}

  /**
   * The model that an adapter stands on, by the path that its configuration names; a model that is
   * no adapter itself.
   *
   * @throws ModelFileException where the base is not there
   */
  public static Path base(Path model) throws IOException {
    if (!AdapterFiles.isAdapter(model)) {
      return model;
    }
    AdapterFiles.Adapter adapter = AdapterFiles.read(model);
    adapter.weights().close();
    Path base = Path.of(adapter.config().baseModel());
    if (adapter.config().baseModel().isEmpty() || !Files.exists(base)) {
      throw new ModelFileException(
          model,
          "the base '%s' of this adapter is not there: put it there, or merge the two by the job export"
              .formatted(base));
    }
    return base;
  }

  /**
   * The shape of a model; of an adapter that of its base, with the head that the adapter brings.
   *
   * @throws ModelFileException as {@link #base}
   */
  public static ModelConfig config(Path model) throws IOException {
    try (ModelFiles files = ModelFiles.open(base(model))) {
      return AdapterFiles.isAdapter(model) ? config(model, files) : files.config();
    }
  }

  private static ModelConfig config(Path adapter, ModelFiles base) throws IOException {
    try (WeightSource own = AdapterFiles.read(adapter).weights()) {
      WeightSource.Weight score = own.weights().get(ModelTensors.SCORE);
      return score == null
          ? base.config()
          : base.config().toBuilder()
              .labels(score.spec().rows())
              .scoreBias(ScoreBias.read(adapter))
              .build();
    }
  }

  /**
   * Writes the merged model, or leaves what an earlier try has written whole. The same adapter and
   * base give the same bytes.
   *
   * @param directory takes a Hugging Face directory with the base's tokenizer, and {@link #MARK}
   * @param replaces whether what was merged of another adapter or base gives way
   * @return whether it was written now
   * @throws ModelFileException where the two do not fit; where the directory is one of them, holds
   *     files that were not merged here, or what another adapter became, on which another result
   *     may stand. Nothing there has changed then
   */
  public static boolean write(Path adapter, Path directory, boolean replaces) throws IOException {
    Path under = base(adapter);
    for (Path read : List.of(adapter, under)) {
      if (Files.exists(directory) && Files.isSameFile(read, directory)) {
        throw new ModelFileException(
            directory,
            "the model that is merged reads this folder, which would be written anew: give another"
                + " --output-dir");
      }
    }
    String made = ModelHash.of(adapter) + "+" + ModelHash.of(under);
    Path mark = directory.resolve(MARK);
    if (Files.exists(mark)) {
      String found = Files.readString(mark);
      if (found.equals(made)) {
        return false;
      }
      if (!replaces && !found.isEmpty() && !found.equals(UNFINISHED)) {
        throw new ModelFileException(
            directory,
            "it was merged from another adapter or base, and a result may stand on it: give another"
                + " --output-dir, or --overwrite");
      }
    } else if (Files.isDirectory(directory) && !isEmpty(directory)) {
      throw new ModelFileException(
          directory,
          "it holds files and no %s, so that it was not merged here, and would be written anew: give another --output-dir, or move it away"
              .formatted(MARK));
    }
    write(adapter, under, directory);
    // Last: without it the folder is not taken for whole.
    Files.writeString(mark, made);
    return true;
  }

  /**
   * The model that a run begins from: the one that is named, or what its adapter and base become in
   * a folder of the output folder. For a dry run, which merges nothing, the base.
   *
   * @param option that names the model, for messages
   * @param output of the run, on this machine's disk where there is something to merge
   * @param name of the folder there
   * @throws JobException as {@link #write}
   */
  public static Path under(JobRun run, String option, Path model, String output, String name)
      throws IOException {
    try {
      Path base = base(model);
      if (base.equals(model) || run.dryRun()) {
        return base;
      }
      URI root = OutputFolder.at(output, run.warehouse().hadoop()).root().toUri();
      if (!root.getScheme().equals("file")) {
        throw JobException.invalid(
            "Option %s: %s is an adapter, which is merged on this machine's disk, and --output-dir %s lies elsewhere: merge it by the job export, and name what that writes"
                .formatted(option, model, output));
      }
      ResultFolder.claim(output, run.warehouse().hadoop());
      Path merged = Path.of(root.getPath()).resolve(name);
      if (write(model, merged, run.overwrites())) {
        run.progress().say("Merged the adapter %s into its base, in %s".formatted(model, merged));
      }
      return merged;
    } catch (ModelFileException e) {
      throw JobException.invalid("Option " + option + ": " + e.getMessage());
    }
  }

  private static boolean isEmpty(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.findAny().isEmpty();
    }
  }

  private static void write(Path adapter, Path under, Path directory) throws IOException {
    try (ModelFiles base = ModelFiles.open(under)) {
      ModelConfig config = config(adapter, base);
      AdapterFiles.Adapter given = AdapterFiles.read(adapter);
      try (WeightSource own = given.weights()) {
        WeightSource merged = MergedWeights.of(config, base.weights(), given);
        Files.createDirectories(directory);
        Files.writeString(directory.resolve(MARK), UNFINISHED);
        ResultWriter.clear(OutputFolder.at(directory));
        ResultWriter.tokenizer(directory, base, base.specialTokens());
        ModelWriter.write(directory, config, base.specialTokens(), merged, TensorType.F32);
      }
    }
  }
}
