package dev.distillery.model.format;

import dev.distillery.core.format.GgufMetadata;
import dev.distillery.core.format.ModelFileException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A model on disk, opened: its configuration, its special tokens, its mapped weights. */
public final class ModelFiles implements Closeable {
  private static final Logger LOG = LoggerFactory.getLogger(ModelFiles.class);

  /** Warnings that this JVM has written already: a model is opened many times. */
  private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

  private static final int MOST_SAID = 1000;

  private final Path path;
  private final ModelConfig config;
  private final SpecialTokens specialTokens;
  private final WeightSource weights;
  private final Optional<GgufMetadata> gguf;
  private final List<String> warnings;

  /** Of files that are as they should be. */
  ModelFiles(
      Path path,
      ModelConfig config,
      SpecialTokens specialTokens,
      WeightSource weights,
      Optional<GgufMetadata> gguf) {
    this(path, config, specialTokens, weights, gguf, List.of());
  }

  ModelFiles(
      Path path,
      ModelConfig config,
      SpecialTokens specialTokens,
      WeightSource weights,
      Optional<GgufMetadata> gguf,
      List<String> warnings) {
    this.path = path;
    this.config = config;
    this.specialTokens = specialTokens;
    this.weights = weights;
    this.gguf = gguf;
    this.warnings = List.copyOf(warnings);
    for (String warning : warnings) {
      if (SAID.size() < MOST_SAID && SAID.add(path + ": " + warning)) {
        LOG.warn("{}: {}", path, warning);
      }
    }
  }

  /**
   * Opens a Hugging Face directory, a GGUF file or a llama2.c checkpoint ({@code .bin}).
   *
   * @throws ModelFileException if it is none of them or something in it is wrong
   */
  public static ModelFiles open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      return HuggingFaceReader.open(path);
    }
    if (!Files.isRegularFile(path)) {
      throw new ModelFileException(path, "there is no such file or directory");
    }
    if (isGguf(path)) {
      return GgufTensors.open(path);
    }
    if (path.toString().endsWith(".bin")) {
      return Llama2cReader.open(path);
    }
    throw new ModelFileException(
        path, "it is neither a Hugging Face directory, nor a GGUF file, nor a llama2.c .bin file");
  }

  /** Whether the file begins as a GGUF file does. */
  public static boolean isGguf(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      return false;
    }
    try (var channel = Files.newByteChannel(path)) {
      ByteBuffer magic = ByteBuffer.allocate(4);
      while (magic.hasRemaining() && channel.read(magic) >= 0) {
        // Reads on until there are four bytes or no more.
      }
      return new String(magic.array(), StandardCharsets.ISO_8859_1).equals("GGUF");
    }
  }

  /** Where it was opened. */
  public Path path() {
    return path;
  }

  public ModelConfig config() {
    return config;
  }

  public SpecialTokens specialTokens() {
    return specialTokens;
  }

  /** Closed with this. */
  public WeightSource weights() {
    return weights;
  }

  /** What of the files is not read, or is read otherwise than they say; written to the log once. */
  public List<String> warnings() {
    return warnings;
  }

  /** A GGUF file's metadata, which holds its tokenizer too. */
  public Optional<GgufMetadata> gguf() {
    return gguf;
  }

  @Override
  public void close() throws IOException {
    weights.close();
  }
}
