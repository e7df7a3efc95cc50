package dev.distillery.model.tokenizer;

import dev.distillery.core.format.GgufMetadata;
import dev.distillery.core.format.ModelFileException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The tokenizer in a GGUF file's metadata: {@code gpt2} (byte-level BPE) or {@code llama}. */
final class GgufTokenizer {
  /** A row of the embedding that no token has. */
  static final int UNUSED = 5;

  private static final int NORMAL = 1;
  private static final int UNKNOWN = 2;
  private static final int CONTROL = 3;
  private static final int USER_DEFINED = 4;
  private static final int BYTE = 6;

  /** Tokens that end a text or an answer, and are marks whatever type the file gives them. */
  private static final Set<String> ENDS =
      Set.of(
          "<|eot_id|>",
          "<|im_end|>",
          "<|end|>",
          "<end_of_turn>",
          "<|endoftext|>",
          "<|eom_id|>",
          "<EOT>",
          "_<EOT>",
          "<|end_of_text|>",
          "<end_of_utterance>");

  private final GgufMetadata metadata;
  private final List<String> tokens;
  private final List<Long> types;
  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final List<AddedToken> added = new ArrayList<>();
  private final BitSet normal = new BitSet();

  private GgufTokenizer(GgufMetadata metadata) throws ModelFileException {
    this.metadata = metadata;
    this.tokens = metadata.texts("tokenizer.ggml.tokens");
    this.types = types(metadata, tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      String token = tokens.get(id);
      long type = ENDS.contains(token) ? CONTROL : types.get(id);
      if (vocabulary.put(token, id) != null) {
        throw new ModelFileException(metadata.file(), "token " + token + " is there twice");
      }
      normal.set(id, type == NORMAL);
      boolean mark = type == CONTROL || type == UNKNOWN;
      if ((mark || type == USER_DEFINED) && !token.isEmpty()) {
        added.add(new AddedToken(id, token, mark, false, false, false));
      }
    }
  }

  /** A file without types has plain tokens only, as llama.cpp reads it. */
  private static List<Long> types(GgufMetadata metadata, int tokens) throws ModelFileException {
    if (!metadata.has("tokenizer.ggml.token_type")) {
      return Collections.nCopies(tokens, (long) NORMAL);
    }
    List<Long> types = metadata.integers("tokenizer.ggml.token_type");
    if (types.size() != tokens) {
      throw metadata.wrong("tokenizer.ggml.token_type", "one for each of " + tokens);
    }
    return types;
  }

  static Tokenizer read(GgufMetadata metadata) throws ModelFileException {
    try {
      GgufTokenizer reader = new GgufTokenizer(metadata);
      return switch (metadata.text("tokenizer.ggml.model")) {
        case "gpt2" -> reader.byteLevel();
        case "llama" -> reader.sentencePiece();
        default -> throw metadata.wrong("tokenizer.ggml.model", "gpt2 or llama");
      };
    } catch (IllegalArgumentException e) {
      throw new ModelFileException(metadata.file(), e.getMessage(), e);
    }
  }

  /** llama.cpp's kind of a token. */
  static int typeOf(Tokenizer tokenizer, int id) {
    boolean addedText = false;
    if (tokenizer instanceof SentencePieceBpe bpe) {
      if (id == bpe.unknown()) {
        return UNKNOWN;
      }
      if (tokenizer.token(id).matches("<0x[0-9A-F]{2}>")) {
        return BYTE;
      }
      addedText = bpe.added().stream().anyMatch(t -> t.id() == id);
    } else if (tokenizer instanceof ByteLevelBpe bpe) {
      addedText = bpe.added().stream().anyMatch(t -> t.id() == id);
    }
    if (tokenizer.isSpecial(id)) {
      return CONTROL;
    }
    return addedText ? USER_DEFINED : NORMAL;
  }

  private Tokenizer byteLevel() throws ModelFileException {
    String pre = metadata.text("tokenizer.ggml.pre");
    PreTokenizer preTokenizer =
        PreTokenizer.ofGguf(pre)
            .orElseThrow(
                () -> metadata.wrong("tokenizer.ggml.pre", "one of " + PreTokenizer.ggufNames()));
    boolean wholeWords = PreTokenizer.takesWholeWords(pre);
    return new ByteLevelBpe(
        preTokenizer,
        vocabulary,
        metadata.texts("tokenizer.ggml.merges"),
        added,
        wholeWords,
        // The metadata do not say so, but all of Qwen's tokenizers do it.
        pre.equals(PreTokenizer.QWEN2.ggufName()),
        // llama.cpp adds it for LLaMA-3's and Mistral's where no key says else.
        marks("bos", wholeWords),
        marks("eos", false));
  }

  private Tokenizer sentencePiece() throws ModelFileException {
    List<Double> numbers = metadata.numbers("tokenizer.ggml.scores");
    if (numbers.size() != tokens.size()) {
      throw metadata.wrong("tokenizer.ggml.scores", "one for each of " + tokens.size());
    }
    float[] scores = new float[numbers.size()];
    for (int i = 0; i < scores.length; i++) {
      scores[i] = numbers.get(i).floatValue();
    }
    SentencePieceBpe.Prefix prefix =
        metadata.bool("tokenizer.ggml.add_space_prefix", true)
            ? SentencePieceBpe.Prefix.EVERY_PART
            : SentencePieceBpe.Prefix.NEVER;
    return new SentencePieceBpe(
        vocabulary,
        SentencePieceBpe.byScores(vocabulary, scores, normal),
        Optional.of(scores),
        added,
        metadata.integer("tokenizer.ggml.unknown_token_id", -1),
        prefix,
        marks("bos", true),
        marks("eos", false));
  }

  /** BOS or EOS, if the metadata say that it is added. */
  private int[] marks(String mark, boolean fallback) throws ModelFileException {
    String id = "tokenizer.ggml." + mark + "_token_id";
    boolean add = metadata.bool("tokenizer.ggml.add_" + mark + "_token", fallback);
    return add && metadata.has(id) ? new int[] {metadata.integer(id)} : new int[0];
  }
}
