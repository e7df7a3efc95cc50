package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A checkpoint of karpathy/llama2.c, in its first format (export.py, {@code legacy_export}): seven
 * 32-bit numbers, then float32 tensors, each kind for all layers together. The rows of the query
 * and key projections stand in rotary pairs; reading undoes that. Its tokenizer is a file apart.
 */
final class Llama2cReader {
  private static final int HEADER_BYTES = 28;

  private final MappedFile file;
  private final ModelConfig config;
  private final MappedWeights weights;
  private long offset = HEADER_BYTES;

  private Llama2cReader(MappedFile file, ModelConfig config) {
    this.file = file;
    this.config = config;
    this.weights = new MappedWeights(List.of(file));
  }

  static ModelFiles open(Path path) throws IOException {
    MappedFile file = MappedFile.open(path);
    try {
      Llama2cReader reader = new Llama2cReader(file, config(file));
      reader.bind();
      SpecialTokens tokens =
          new SpecialTokens(
              OptionalInt.of(Math.min(1, reader.config.vocabSize() - 1)),
              // run.c stops at BOS: it is what stands between the stories it was trained on.
              List.of(Math.min(1, reader.config.vocabSize() - 1)),
              OptionalInt.empty());
      return new ModelFiles(path, reader.config, tokens, reader.weights, Optional.empty());
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static ModelConfig config(MappedFile file) throws ModelFileException {
    if (file.size() < HEADER_BYTES) {
      throw new ModelFileException(
          file.path(), "it has " + file.size() + " bytes: not a llama2.c checkpoint");
    }
    ByteBuffer header = file.slice(0, HEADER_BYTES);
    int width = header.getInt();
    int inner = header.getInt();
    int layers = header.getInt();
    int heads = header.getInt();
    int kvHeads = header.getInt();
    int vocab = header.getInt();
    int context = header.getInt();
    if (vocab == Integer.MIN_VALUE || width < 1 || heads < 1 || width % heads != 0) {
      throw new ModelFileException(
          file.path(),
          "it is not a llama2.c checkpoint: width "
              + width
              + ", heads "
              + heads
              + ", vocabulary "
              + vocab);
    }
    try {
      return ModelConfig.llama()
          .hiddenSize(width)
          .intermediateSize(inner)
          .layers(layers)
          .heads(heads)
          .kvHeads(kvHeads)
          // A negative vocabulary says that the head is a tensor of its own.
          .vocabSize(Math.abs(vocab))
          .tieEmbeddings(vocab > 0)
          .maxPositions(context)
          .build();
    } catch (IllegalArgumentException e) {
      throw new ModelFileException(
          file.path(), "it is not a llama2.c checkpoint: " + e.getMessage(), e);
    }
  }

  private void bind() throws ModelFileException {
    one("model.embed_tokens.weight", config.vocabSize(), config.hiddenSize());
    perLayer("input_layernorm.weight", config.hiddenSize());
    perLayer("self_attn.q_proj.weight", config.queryWidth(), config.hiddenSize());
    perLayer("self_attn.k_proj.weight", config.kvWidth(), config.hiddenSize());
    perLayer("self_attn.v_proj.weight", config.kvWidth(), config.hiddenSize());
    perLayer("self_attn.o_proj.weight", config.hiddenSize(), config.queryWidth());
    perLayer("post_attention_layernorm.weight", config.hiddenSize());
    perLayer("mlp.gate_proj.weight", config.intermediateSize(), config.hiddenSize());
    perLayer("mlp.down_proj.weight", config.hiddenSize(), config.intermediateSize());
    perLayer("mlp.up_proj.weight", config.intermediateSize(), config.hiddenSize());
    one("model.norm.weight", config.hiddenSize());
    // Tables of rotary cosines and sines, which follow from the configuration.
    offset += 4L * config.maxPositions() * config.headDim();
    if (!config.tieEmbeddings()) {
      one(ModelTensors.LM_HEAD, config.vocabSize(), config.hiddenSize());
    }
    if (offset != file.size()) {
      throw new ModelFileException(
          file.path(), "its header calls for " + offset + " bytes, but it has " + file.size());
    }
  }

  private void perLayer(String name, Integer... shape) throws ModelFileException {
    for (int i = 0; i < config.layers(); i++) {
      one("model.layers." + i + "." + name, shape);
    }
  }

  private void one(String name, Integer... shape) throws ModelFileException {
    TensorSpec spec = new TensorSpec(name, List.of(shape));
    long bytes = TensorType.F32.bytes(spec.elements());
    if (offset > file.size() - bytes) {
      throw new ModelFileException(file.path(), "it ends inside tensor " + name);
    }
    weights.add(
        new WeightSource.Weight(spec, TensorType.F32),
        new MappedWeights.Place(file, offset, GgufFamily.LLAMA.pairedHeads(config, name), 0));
    offset += bytes;
  }
}
