package dev.distillery.jobs.pretrain;

import dev.distillery.core.run.JobException;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelConfigs;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.tokenizer.BpeTrainer;
import dev.distillery.model.tokenizer.PreTokenizer;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.TokenizerWriter;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.api.java.JavaRDD;
import scala.Tuple2;

/** A model that training begins from scratch: its shape, its tokenizer, and fresh weights. */
final class NewModel {
  /** What ends a document, by the names that published tokenizers give it. */
  private static final List<String> ENDS =
      List.of("<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>", "<|im_end|>");

  private static final List<String> BEGINNINGS = List.of("<|begin_of_text|>", "<s>", "<bos>");

  private NewModel() {}

  /** Whether {@code --model} names a shape: one by name, or a config.json without weights. */
  static boolean isShape(String model) {
    return ModelConfigs.names().contains(model) || model.endsWith(".json");
  }

  /**
   * The shape.
   *
   * @throws JobException if its file cannot be read
   */
  static ModelConfig shape(String model) {
    if (ModelConfigs.names().contains(model)) {
      return ModelConfigs.named(model);
    }
    try {
      return ModelConfigs.read(Path.of(model));
    } catch (IOException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    }
  }

  /**
   * Byte-level BPE, trained on texts by all executors. What comes to the driver is each different
   * piece with its count.
   */
  static Tokenizer train(JavaRDD<String> texts, int vocabSize) {
    BpeTrainer trainer = new BpeTrainer(PreTokenizer.GPT2);
    Iterator<Tuple2<String, Long>> pieces =
        texts.mapPartitionsToPair(NewModel::pieces).reduceByKey(Math::addExact).toLocalIterator();
    pieces.forEachRemaining(piece -> trainer.addCount(piece._1(), piece._2()));
    return trainer.train(vocabSize, 2, List.of(ENDS.get(0)));
  }

  private static Iterator<Tuple2<String, Long>> pieces(Iterator<String> texts) {
    BpeTrainer trainer = new BpeTrainer(PreTokenizer.GPT2);
    texts.forEachRemaining(trainer::add);
    List<Tuple2<String, Long>> counts = new ArrayList<>();
    for (Map.Entry<String, Long> piece : trainer.counts().entrySet()) {
      counts.add(new Tuple2<>(piece.getKey(), piece.getValue()));
    }
    return Collections.unmodifiableList(counts).iterator();
  }

  /** The tokenizer of a directory or file. */
  static Tokenizer open(String tokenizer) {
    try {
      return Tokenizers.open(Path.of(tokenizer));
    } catch (IOException e) {
      throw JobException.invalid("Option --tokenizer-from: " + e.getMessage());
    }
  }

  /** The tokens that begin and end a text of this tokenizer. */
  static SpecialTokens specialTokens(Tokenizer tokenizer) {
    OptionalInt end = first(tokenizer, ENDS);
    if (end.isEmpty()) {
      throw JobException.invalid(
          "Option --tokenizer-from: the tokenizer has none of %s to end a document with"
              .formatted(String.join(", ", ENDS)));
    }
    return new SpecialTokens(
        first(tokenizer, BEGINNINGS), List.of(end.getAsInt()), OptionalInt.empty());
  }

  private static OptionalInt first(Tokenizer tokenizer, List<String> names) {
    return names.stream()
        .map(tokenizer::id)
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.empty());
  }

  /**
   * Writes the model with fresh weights, as its publishers drew them; does nothing where it was
   * written before.
   *
   * @param shape whose vocabulary gives way to the tokenizer's
   */
  static void write(Path directory, ModelConfig shape, Tokenizer tokenizer, long seed)
      throws IOException {
    // The configuration is written last: where it is, all is there.
    if (Files.exists(directory.resolve("config.json"))) {
      return;
    }
    SpecialTokens tokens = specialTokens(tokenizer);
    ModelConfig config = shape.toBuilder().vocabSize(tokenizer.vocabSize()).build();
    Files.createDirectories(directory);
    TokenizerWriter.write(directory, tokenizer, tokens, Optional.empty());
    try (Kernels kernels = KernelSets.create(Runtime.getRuntime().availableProcessors());
        Parameters parameters = Weights.fresh(config, kernels, seed)) {
      ModelWriter.write(
          directory,
          config,
          tokens,
          Weights.source(parameters, ModelTensors.of(config)),
          TensorType.F32);
    }
  }
}
