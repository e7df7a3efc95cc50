package dev.distillery.training.run;

import dev.distillery.core.run.ModelHash;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.MergedWeights;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFileException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.ScoreBias;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;

/**
 * A model that training begins from and that is an adapter: merged into its base first, in float32,
 * so that new adapters stand on what the old ones had learned (StackLLaMA's merge between stages).
 * The head that an adapter brings goes with it.
 */
public final class MergedModel {
  /** The file that says of which adapter and base a folder is, by their hashes. */
  public static final String MARK = "merged-from.txt";

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
   * @throws ModelFileException where the two do not fit; where the directory is the base itself, or
   *     holds what another adapter became, on which another result may stand
   */
  public static boolean write(Path adapter, Path directory, boolean replaces) throws IOException {
    Path under = base(adapter);
    if (Files.exists(directory) && Files.isSameFile(under, directory)) {
      throw new ModelFileException(
          directory,
          "the adapter %s stands on this folder, which would be written anew: give another --output-dir"
              .formatted(adapter));
    }
    String made = ModelHash.of(adapter) + "+" + ModelHash.of(under);
    Path mark = directory.resolve(MARK);
    if (Files.exists(mark)) {
      if (Files.readString(mark).equals(made)) {
        return false;
      }
      if (!replaces) {
        throw new ModelFileException(
            directory,
            "it was merged from another adapter or base, and a result may stand on it: give another"
                + " --output-dir, or --overwrite");
      }
      Files.delete(mark);
    }
    Files.createDirectories(directory);
    write(adapter, under, directory);
    // Last: without it the folder is not taken for whole.
    Files.writeString(mark, made);
    return true;
  }

  private static void write(Path adapter, Path under, Path directory) throws IOException {
    ResultWriter.clear(OutputFolder.at(directory.toUri().toString(), new Configuration()));
    try (ModelFiles base = ModelFiles.open(under)) {
      ModelConfig config = config(adapter, base);
      AdapterFiles.Adapter given = AdapterFiles.read(adapter);
      try (WeightSource own = given.weights()) {
        ResultWriter.tokenizer(directory, base, base.specialTokens());
        ModelWriter.write(
            directory,
            config,
            base.specialTokens(),
            MergedWeights.of(config, base.weights(), given),
            TensorType.F32);
      }
    }
  }
}
