package dev.distillery.model.sample;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.MergedWeights;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * A model on disk, opened to write or to score texts. Opening reads its headers and its tokenizer;
 * the weights come with the first {@link #decoder}. Safe for several threads, its decoder for one
 * at a time.
 */
public final class Student implements AutoCloseable {
  private final ModelFiles files;
  private final WeightSource weights;
  private final Tokenizer tokenizer;
  private final int threads;
  private @Nullable Kernels kernels;
  private @Nullable Decoder decoder;

  private Student(ModelFiles files, WeightSource weights, Tokenizer tokenizer, int threads) {
    this.files = files;
    this.weights = weights;
    this.tokenizer = tokenizer;
    this.threads = threads;
  }

  /**
   * Opens a Hugging Face directory or a GGUF file.
   *
   * @param threads that compute; 0 for one a processor
   * @throws ModelFileException if it is neither, something in it is wrong, or it does not write
   *     texts
   */
  public static Student open(Path model, int threads) throws IOException {
    return open(model, Optional.empty(), threads);
  }

  /**
   * Opens a Hugging Face directory or a GGUF file, with a LoRA adapter merged into its weights as
   * they are read.
   *
   * @param adapter a directory as PEFT writes it
   * @throws ModelFileException as above, or where the adapter does not fit the model
   */
  public static Student open(Path model, Optional<Path> adapter, int threads) throws IOException {
    ModelFiles files = ModelFiles.open(model);
    try {
      if (files.config().labels() > 0) {
        throw new ModelFileException(model, "it scores texts and cannot write them");
      }
      WeightSource weights = files.weights();
      if (adapter.isPresent()) {
        AdapterFiles.Adapter given = AdapterFiles.read(adapter.orElseThrow());
        try (WeightSource own = given.weights()) {
          weights = MergedWeights.of(files.config(), weights, given);
        }
      }
      int wanted = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
      return new Student(files, weights, Tokenizers.of(files), wanted);
    } catch (IOException | RuntimeException e) {
      files.close();
      throw e;
    }
  }

  /** Where it was read. */
  public Path path() {
    return files.path();
  }

  public ModelConfig config() {
    return files.config();
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  public SpecialTokens specialTokens() {
    return files.specialTokens();
  }

  /** A chat template of this model that is told nothing beside the dialogue. */
  public ChatTemplate chatTemplate(String name) throws IOException {
    return chatTemplate(name, TemplateInputs.NONE);
  }

  /**
   * A chat template of this model.
   *
   * @param name of a preset; empty takes the model's own
   * @param inputs what the model's own is told beside the dialogue; presets take no arguments
   * @throws IllegalArgumentException where there is no such preset, or the model has no template or
   *     one that cannot be run
   */
  public ChatTemplate chatTemplate(String name, TemplateInputs inputs) throws IOException {
    return ModelTemplates.choose(files, tokenizer, name, inputs);
  }

  /** What stands before a text that has nothing before it: BOS, or EOS where there is no BOS. */
  public OptionalInt textStart() {
    SpecialTokens tokens = specialTokens();
    return tokens.bos().isPresent() || tokens.stop().isEmpty()
        ? tokens.bos()
        : OptionalInt.of(tokens.stop().get(0));
  }

  /** The decoder, with its weights as they lie in their file where the kernels can use that. */
  public synchronized Decoder decoder() throws IOException {
    if (decoder == null) {
      kernels = KernelSets.create(threads);
      decoder = Weights.openForDecoding(files.config(), kernels, weights);
    }
    return decoder;
  }

  @Override
  public synchronized void close() throws IOException {
    if (decoder != null) {
      decoder.pack().close();
      decoder.parameters().close();
      decoder.close();
    }
    if (kernels != null) {
      kernels.close();
    }
    files.close();
  }
}
