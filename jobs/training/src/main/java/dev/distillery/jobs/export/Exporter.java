package dev.distillery.jobs.export;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.Progress;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.GgufWriter;
import dev.distillery.model.format.MergedWeights;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.TokenizerWriter;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.spark.job.JobRun;
import dev.distillery.training.tokens.AdapterTokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One export, on the driver. */
final class Exporter {
  private static final String CONFIG = "config.json";

  /** What makes a model beside its configuration, by the names that transformers gives it. */
  private static final String MODEL =
      "(model|pytorch_model).*\\.(safetensors|bin)(\\.index\\.json)?"
          + "|(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\\.json"
          + "|generation_config\\.json|tokenizer\\.model|merges\\.txt|chat_template\\.jinja|"
          + ModelTemplates.FOLDER
          + "[/\\\\].*\\.jinja";

  private final ExportOptions options;

  /** What the user named. */
  private final Path target;

  /** Where it is written: beside the target where that is to be replaced. */
  private Path output;

  Exporter(ExportOptions options) {
    this.options = options;
    this.target = Path.of(options.output());
    this.output = target;
  }

  /**
   * Writes the model.
   *
   * @param run a dry one only checks what it can without writing
   * @throws ModelFileException if something cannot be read, or the output is there already
   */
  ExportSummary export(JobRun run) throws IOException {
    boolean file = options.format() == ExportOptions.Format.GGUF;
    if (options.adapter().isPresent()) {
      refuseWhatIsRead("--adapter", options.adapter().get());
    }
    boolean replaces = file ? Files.exists(target) : holdsModel(target);
    if (replaces) {
      checkReplaceable(run, file);
      output = target.resolveSibling("." + run.id() + "." + target.getFileName());
      remove(output);
    }
    try (ModelFiles model = ModelFiles.open(Path.of(options.model()));
        WeightSource weights = merged(model)) {
      Optional<Tokenizer> tokenizer = tokenizer(model, run.progress());
      Optional<ChatTemplate> template = template(model, tokenizer, run.progress());
      long fallbacks = fallbacks(ModelTensors.of(model.config()), run.progress());
      if (!run.dryRun()) {
        if (file) {
          writeGguf(model, weights, tokenizer, template);
        } else {
          writeDirectory(model, weights, tokenizer, template);
        }
        check(model);
        if (replaces) {
          replace(file);
        }
      }
      return new ExportSummary(
          run.summary(),
          model.config().parameterCount(),
          ModelTensors.of(model.config()).size(),
          fallbacks,
          run.dryRun() ? 0 : bytes(target),
          target.toString(),
          template.map(ChatTemplate::name).orElse(""));
    }
  }

  /** Counts the matrices that cannot have the type that was asked for, and says what they get. */
  private long fallbacks(List<TensorSpec> specs, Progress progress) {
    TensorType wanted = options.dtype().type();
    List<TensorSpec> matrices = specs.stream().filter(spec -> spec.shape().size() > 1).toList();
    Map<TensorType, Long> others =
        matrices.stream()
            .map(spec -> GgufWriter.stored(spec, wanted))
            .filter(type -> type != wanted)
            .collect(Collectors.groupingBy(type -> type, TreeMap::new, Collectors.counting()));
    others.forEach(
        (type, count) ->
            progress.say(
                count
                    + " of "
                    + matrices.size()
                    + " matrices are stored as "
                    + type
                    + ": their rows are not whole blocks of "
                    + wanted));
    return others.values().stream().mapToLong(Long::longValue).sum();
  }

  private void checkReplaceable(JobRun run, boolean file) throws IOException {
    if (!run.overwrites()) {
      throw new ModelFileException(
          target,
          "it is there already; choose another --output, or give --overwrite to replace it");
    }
    if (Files.isDirectory(target) == file) {
      throw new ModelFileException(
          target,
          "it is a "
              + (file ? "folder" : "file")
              + ", which --overwrite does not replace by a "
              + (file ? "file" : "folder")
              + "; choose another --output");
    }
    refuseWhatIsRead("--model", options.model());
  }

  private void refuseWhatIsRead(String option, String read) throws IOException {
    Path path = Path.of(read);
    if (Files.exists(path) && Files.exists(target) && Files.isSameFile(path, target)) {
      throw new ModelFileException(target, "it is " + option + " itself; choose another --output");
    }
  }

  /** Puts what was written in the target's place; other files of a folder stay. */
  private void replace(boolean file) throws IOException {
    if (file) {
      Files.move(output, target, StandardCopyOption.REPLACE_EXISTING);
      return;
    }
    // Without it a folder is no model: what a crash leaves half replaced is not taken for one.
    Files.delete(target.resolve(CONFIG));
    for (Path old : files(target)) {
      if (target.relativize(old).toString().matches(MODEL)) {
        Files.delete(old);
      }
    }
    for (Path written : files(output)) {
      if (!written.endsWith(CONFIG)) {
        Path place = target.resolve(output.relativize(written));
        Files.createDirectories(place.getParent());
        Files.move(written, place, StandardCopyOption.REPLACE_EXISTING);
      }
    }
    Files.move(output.resolve(CONFIG), target.resolve(CONFIG));
    remove(output);
  }

  /** The files of a model's folder, those of further chat templates too. */
  private static List<Path> files(Path directory) throws IOException {
    List<Path> all = new ArrayList<>();
    for (Path folder : List.of(directory, directory.resolve(ModelTemplates.FOLDER))) {
      if (Files.isDirectory(folder)) {
        try (Stream<Path> files = Files.list(folder)) {
          files.filter(Files::isRegularFile).forEach(all::add);
        }
      }
    }
    return all;
  }

  /** What an earlier try has left. */
  private static void remove(Path unfinished) throws IOException {
    if (Files.isDirectory(unfinished)) {
      for (Path file : files(unfinished)) {
        Files.delete(file);
      }
      Files.deleteIfExists(unfinished.resolve(ModelTemplates.FOLDER));
    }
    Files.deleteIfExists(unfinished);
  }

  private static boolean holdsModel(Path directory) {
    return Files.exists(directory.resolve(CONFIG))
        || (Files.exists(directory) && !Files.isDirectory(directory));
  }

  private WeightSource merged(ModelFiles model) throws IOException {
    if (options.adapter().isEmpty()) {
      return model.weights();
    }
    AdapterFiles.Adapter adapter = AdapterFiles.read(Path.of(options.adapter().get()));
    return MergedWeights.of(model.config(), model.weights(), adapter);
  }

  /**
   * The tokenizer asked for; the adapter's own where it adds tokens; or the model's: a llama2.c
   * checkpoint has none.
   */
  private Optional<Tokenizer> tokenizer(ModelFiles model, Progress progress) throws IOException {
    if (options.tokenizer().isPresent()) {
      return Optional.of(Tokenizers.open(Path.of(options.tokenizer().get())));
    }
    boolean directory = Files.isDirectory(model.path());
    boolean there =
        directory
            ? Tokenizers.isIn(model.path())
            : model.gguf().map(g -> g.has("tokenizer.ggml.model")).orElse(false);
    Optional<Tokenizer> base = there ? Optional.of(Tokenizers.of(model)) : Optional.empty();
    Optional<Path> adapter = options.adapter().map(Path::of).filter(Tokenizers::isIn);
    if (adapter.isEmpty()) {
      return base;
    }
    Tokenizer own = Tokenizers.open(adapter.get());
    List<String> added =
        AdapterTokenizer.added(adapter.get(), own, base, model.config().vocabSize());
    if (added.isEmpty()) {
      return base;
    }
    progress.say(
        "The adapter's own tokenizer is written, which adds " + AdapterTokenizer.shown(added));
    return Optional.of(own);
  }

  private Optional<ChatTemplate> template(
      ModelFiles model, Optional<Tokenizer> tokenizer, Progress progress) throws IOException {
    SpecialTokens special = model.specialTokens();
    String eos =
        tokenizer.isPresent() && !special.stop().isEmpty()
            ? tokenizer.get().token(special.stop().get(0))
            : "</s>";
    if (options.chatTemplate().isPresent()) {
      return Optional.of(ChatTemplate.named(options.chatTemplate().get(), eos));
    }
    if (options.adapter().isPresent()) {
      Optional<ModelTemplates> own =
          AdapterTokenizer.otherTemplate(Path.of(options.adapter().get()), model);
      if (own.isPresent()) {
        progress.say("The adapter's own chat template is written, which the model has not");
        return own.map(ChatTemplate::carried);
      }
    }
    return ModelTemplates.read(model).map(ChatTemplate::carried);
  }

  private void writeGguf(
      ModelFiles model,
      WeightSource weights,
      Optional<Tokenizer> tokenizer,
      Optional<ChatTemplate> template)
      throws IOException {
    Map<String, Object> metadata =
        tokenizer
            .map(t -> TokenizerWriter.ggufMetadata(t, model.config().vocabSize(), template))
            .orElse(Map.of());
    GgufWriter.write(
        output, model.config(), model.specialTokens(), metadata, weights, options.dtype().type());
  }

  private void writeDirectory(
      ModelFiles model,
      WeightSource weights,
      Optional<Tokenizer> tokenizer,
      Optional<ChatTemplate> template)
      throws IOException {
    if (tokenizer.isPresent()) {
      TokenizerWriter.write(output, tokenizer.get(), model.specialTokens(), template);
    }
    ModelWriter.write(
        output, model.config(), model.specialTokens(), weights, options.dtype().type());
  }

  /** Opens what was written: the reader checks that every tensor is there in its shape. */
  private void check(ModelFiles model) throws IOException {
    try (ModelFiles written = ModelFiles.open(output)) {
      if (!written.config().toBuilder()
          .initializerRange(1)
          .build()
          .equals(model.config().toBuilder().initializerRange(1).build())) {
        throw new ModelFileException(
            output,
            "it reads back as " + written.config() + ", but was written as " + model.config());
      }
    }
  }

  private static long bytes(Path path) throws IOException {
    if (Files.isRegularFile(path)) {
      return Files.size(path);
    }
    long bytes = 0;
    for (Path file : files(path)) {
      bytes += Files.size(file);
    }
    return bytes;
  }
}
