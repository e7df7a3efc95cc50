package dev.distillery.training.run;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.model.format.ClassNames;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.ScoreBias;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.ValueHeadFile;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.StoredWeights;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.TokenizerWriter;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;

/**
 * What was learned, as files: a Hugging Face directory with the tokenizer of the model that
 * training began from, or an adapter. They are written beside the output folder's files and moved
 * there, the configuration last, so that a reader finds a whole model or none.
 */
final class ResultWriter {
  private static final List<String> TOKENIZER =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "tokenizer.model",
          "tekken.json",
          "special_tokens_map.json",
          "added_tokens.json",
          "vocab.json",
          "merges.txt",
          "chat_template.jinja",
          "chat_template.json");

  private static final List<String> LAST = List.of("config.json", "adapter_config.json");

  /** What else a model's or an adapter's folder holds. */
  private static final Set<String> OTHERS =
      Set.of(
          "generation_config.json",
          "adapter_model.safetensors",
          ModelTemplates.FOLDER,
          ScoreBias.FILE,
          ClassNames.FILE,
          ValueHeadFile.NAME);

  private static final Pattern WEIGHTS =
      Pattern.compile("model(-\\d+-of-\\d+)?\\.safetensors(\\.index\\.json)?");

  private final OutputFolder folder;
  private final PolicySpec spec;
  private final ModelConfig config;
  private final StudentOptions.Dtype dtype;

  /**
   * @param config of the result
   */
  ResultWriter(
      OutputFolder folder, PolicySpec spec, ModelConfig config, StudentOptions.Dtype dtype) {
    this.folder = folder;
    this.spec = spec;
    this.config = config;
    this.dtype = dtype;
  }

  /** Writes the trained weights, in place of what an earlier try left. */
  void write(ModelFiles files, ParameterSpace trained) throws IOException {
    Path directory = Files.createTempDirectory("distillery-result-");
    try {
      if (spec.trainable() == Trainable.LORA) {
        AdapterOutput.write(directory, spec, config, trained);
        if (config.labels() == 1) {
          ScoreBias.write(directory, config.scoreBias());
        }
      } else {
        writeModel(directory, files, trained);
      }
      // A value network's is its score.
      if (spec.valueHead() && config.labels() == 0) {
        ValueHeads.write(directory, trained);
      }
      if (!spec.classes().isEmpty()) {
        ClassNames.write(directory, spec.classes());
      }
      publish(directory);
    } finally {
      try (Stream<Path> left = Files.walk(directory)) {
        left.sorted(Comparator.reverseOrder()).forEach(ResultWriter::delete);
      }
    }
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void writeModel(Path directory, ModelFiles files, ParameterSpace trained)
      throws IOException {
    SpecialTokens tokens =
        config.labels() == 1 ? scored(files.specialTokens()) : files.specialTokens();
    tokenizer(directory, files, tokens);
    TensorType type =
        switch (dtype) {
          case AUTO, FLOAT32 -> TensorType.F32;
          case BFLOAT16 -> TensorType.BF16;
        };
    try (Kernels kernels = KernelSets.create(1)) {
      Parameters all =
          new Parameters(trained, frozen(kernels, files, trained), StoredWeights.none());
      ModelWriter.write(
          directory, config, tokens, Weights.source(all, ModelTensors.of(config)), type);
      all.frozen().close();
    }
  }

  /** What is not trained, from the model's own file. */
  private ParameterSpace frozen(Kernels kernels, ModelFiles files, ParameterSpace trained)
      throws IOException {
    ParameterSpace frozen =
        new ParameterSpace(
            kernels,
            DecoderLayout.slots(config).stream()
                .filter(slot -> trained.slot(slot.name()).isEmpty())
                .toList());
    Weights.load(frozen, files.weights());
    return frozen;
  }

  /**
   * The special tokens of a model whose score is read at the mark that closes an answer.
   * transformers reads it at the last token that is not the padding's, so that a padding token that
   * is that mark too would have it read one token early: the beginning's is padded with instead,
   * which no answer ends with, or nothing is.
   */
  private static SpecialTokens scored(SpecialTokens tokens) {
    if (tokens.pad().isEmpty() || !tokens.stop().contains(tokens.pad().getAsInt())) {
      return tokens;
    }
    boolean other = tokens.bos().isPresent() && !tokens.stop().contains(tokens.bos().getAsInt());
    return new SpecialTokens(
        tokens.bos(), tokens.stop(), other ? tokens.bos() : OptionalInt.empty());
  }

  /**
   * The files of a directory as they are, but for the padding token where another is wanted; of a
   * GGUF file, written anew.
   */
  static void tokenizer(Path directory, ModelFiles files, SpecialTokens tokens) throws IOException {
    if (Files.isDirectory(files.path())) {
      for (String name : TOKENIZER) {
        Path file = files.path().resolve(name);
        if (Files.exists(file)) {
          Files.copy(file, directory.resolve(name), StandardCopyOption.REPLACE_EXISTING);
        }
      }
      Path templates = files.path().resolve(ModelTemplates.FOLDER);
      if (Files.isDirectory(templates)) {
        Path copies = Files.createDirectories(directory.resolve(ModelTemplates.FOLDER));
        try (DirectoryStream<Path> found = Files.newDirectoryStream(templates, "*.jinja")) {
          for (Path file : found) {
            Files.copy(
                file,
                copies.resolve(file.getFileName().toString()),
                StandardCopyOption.REPLACE_EXISTING);
          }
        }
      }
      if (!tokens.pad().equals(files.specialTokens().pad())) {
        for (String name : List.of("tokenizer_config.json", "special_tokens_map.json")) {
          pad(directory.resolve(name), files, tokens);
        }
      }
      return;
    }
    if (files.gguf().map(gguf -> gguf.has("tokenizer.ggml.model")).orElse(false)) {
      TokenizerWriter.write(
          directory,
          Tokenizers.of(files),
          tokens,
          ModelTemplates.read(files).map(ChatTemplate::carried));
    }
  }

  private static void pad(Path file, ModelFiles files, SpecialTokens tokens) throws IOException {
    if (!Files.exists(file)) {
      return;
    }
    ObjectMapper json = new ObjectMapper();
    if (json.readTree(Files.readAllBytes(file)) instanceof ObjectNode settings) {
      settings.remove("pad_token");
      if (tokens.pad().isPresent()) {
        settings.put("pad_token", Tokenizers.of(files).token(tokens.pad().getAsInt()));
      }
      Files.write(file, json.writerWithDefaultPrettyPrinter().writeValueAsBytes(settings));
    }
  }

  /**
   * Deletes the model or the adapter that a folder holds, its configuration first, so that none of
   * its files is read beside those of the next one. What else lies there stays. Whoever calls it
   * knows that a run of ours wrote them.
   */
  static void clear(OutputFolder folder) throws IOException {
    for (String last : LAST) {
      folder.files().delete(folder.path(last), false);
    }
    for (FileStatus file : folder.list(folder.root())) {
      if (isOfAModel(file.getPath().getName())) {
        folder.files().delete(file.getPath(), true);
      }
    }
  }

  /** Whether a file or folder is called as one of a model's or an adapter's folder is. */
  static boolean isOfAModel(String name) {
    return LAST.contains(name)
        || TOKENIZER.contains(name)
        || OTHERS.contains(name)
        || WEIGHTS.matcher(name).matches();
  }

  private void publish(Path directory) throws IOException {
    List<Path> written;
    try (Stream<Path> all = Files.walk(directory)) {
      written =
          all.filter(Files::isRegularFile)
              .sorted(
                  Comparator.comparing((Path file) -> LAST.contains(file.getFileName().toString()))
                      .thenComparing(file -> file))
              .toList();
    }
    clear(folder);
    for (Path file : written) {
      org.apache.hadoop.fs.Path target = folder.path(directory.relativize(file).toString());
      folder
          .files()
          .copyFromLocalFile(false, true, new org.apache.hadoop.fs.Path(file.toUri()), target);
    }
  }
}
