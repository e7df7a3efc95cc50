package dev.distillery.model.tokenizer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.model.format.ModelJson;
import dev.distillery.model.format.SpecialTokens;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Writes a tokenizer, wherever it was read from: as tokenizer.json with tokenizer_config.json and
 * chat_template.jinja, and as GGUF metadata.
 */
public final class TokenizerWriter {
  private static final Pattern FILE_NAME = Pattern.compile("\\w[\\w.-]*");

  private TokenizerWriter() {}

  /**
   * Writes the files that transformers reads beside a model.
   *
   * @param tokens whose spellings go into tokenizer_config.json
   * @param template goes into chat_template.jinja and into tokenizer_config.json, where older
   *     versions look for it; further ones into {@link ModelTemplates#FOLDER} too
   * @throws IllegalArgumentException where a further template's name cannot be a file's
   */
  public static void write(
      Path directory, Tokenizer tokenizer, SpecialTokens tokens, Optional<ChatTemplate> template)
      throws IOException {
    Files.createDirectories(directory);
    writeJson(directory.resolve("tokenizer.json"), tokenizer);
    ObjectNode config = ModelJson.newObject();
    config.put("tokenizer_class", "PreTrainedTokenizerFast");
    config.put("clean_up_tokenization_spaces", false);
    tokens.bos().ifPresent(id -> config.put("bos_token", tokenizer.token(id)));
    if (!tokens.stop().isEmpty()) {
      config.put("eos_token", tokenizer.token(tokens.stop().get(0)));
    }
    tokens.pad().ifPresent(id -> config.put("pad_token", tokenizer.token(id)));
    if (template.isPresent()) {
      String jinja = template.get().jinja();
      if (template.get().others().isEmpty()) {
        config.put("chat_template", jinja);
      } else {
        ArrayNode named = config.putArray("chat_template");
        named.addObject().put("name", "default").put("template", jinja);
        Path folder = Files.createDirectories(directory.resolve(ModelTemplates.FOLDER));
        for (var other : new TreeMap<>(template.get().others()).entrySet()) {
          named.addObject().put("name", other.getKey()).put("template", other.getValue());
          if (!FILE_NAME.matcher(other.getKey()).matches()) {
            throw new IllegalArgumentException(
                "The chat template called '" + other.getKey() + "' cannot be a file of that name");
          }
          Files.writeString(folder.resolve(other.getKey() + ".jinja"), other.getValue());
        }
      }
      Files.writeString(directory.resolve("chat_template.jinja"), jinja, StandardCharsets.UTF_8);
    }
    Files.write(directory.resolve("tokenizer_config.json"), ModelJson.bytes(config));
  }

  /** Writes tokenizer.json. */
  public static void writeJson(Path file, Tokenizer tokenizer) throws IOException {
    ObjectNode json = ModelJson.newObject();
    json.put("version", "1.0");
    json.putNull("truncation");
    json.putNull("padding");
    if (tokenizer instanceof ByteLevelBpe bpe) {
      byteLevel(bpe, json);
    } else if (tokenizer instanceof SentencePieceBpe bpe) {
      sentencePiece(bpe, json);
    } else {
      throw unknown(tokenizer);
    }
    json.set("post_processor", postProcessor(tokenizer));
    Files.write(file, ModelJson.bytes(json));
  }

  private static void byteLevel(ByteLevelBpe bpe, ObjectNode json) {
    json.set("added_tokens", added(bpe.added()));
    if (bpe.composes()) {
      json.putObject("normalizer").put("type", "NFC");
    } else {
      json.putNull("normalizer");
    }
    PreTokenizer preTokenizer = bpe.preTokenizer();
    ObjectNode byteLevel =
        ModelJson.newObject()
            .put("type", "ByteLevel")
            .put("add_prefix_space", false)
            .put("trim_offsets", true)
            .put("use_regex", preTokenizer.pattern().isEmpty());
    switch (preTokenizer) {
      case GPT2 -> json.set("pre_tokenizer", byteLevel);
      case SMOLLM -> {
        ArrayNode steps =
            json.putObject("pre_tokenizer").put("type", "Sequence").withArray("pretokenizers");
        steps.addObject().put("type", "Digits").put("individual_digits", true);
        steps.add(byteLevel);
      }
      case LLAMA3, QWEN2, TEKKEN -> {
        ArrayNode steps =
            json.putObject("pre_tokenizer").put("type", "Sequence").withArray("pretokenizers");
        ObjectNode split = steps.addObject().put("type", "Split");
        split.putObject("pattern").put("Regex", preTokenizer.pattern().orElseThrow());
        split.put("behavior", "Isolated").put("invert", false);
        steps.add(byteLevel);
      }
    }
    json.putObject("decoder")
        .put("type", "ByteLevel")
        .put("add_prefix_space", true)
        .put("trim_offsets", true)
        .put("use_regex", true);
    ObjectNode model = model(json, bpe, bpe.merges());
    model.putNull("unk_token");
    model.put("fuse_unk", false);
    model.put("byte_fallback", false);
    model.put("ignore_merges", bpe.ignoresMerges());
  }

  private static void sentencePiece(SentencePieceBpe bpe, ObjectNode json) {
    json.set("added_tokens", added(bpe.added()));
    String space = String.valueOf(SentencePieceBpe.SPACE);
    json.putNull("normalizer");
    json.putNull("pre_tokenizer");
    switch (bpe.spacePrefix()) {
      case EVERY_PART, NEVER -> {
        ArrayNode steps =
            json.putObject("normalizer").put("type", "Sequence").withArray("normalizers");
        if (bpe.spacePrefix() == SentencePieceBpe.Prefix.EVERY_PART) {
          steps.addObject().put("type", "Prepend").put("prepend", space);
        }
        ObjectNode replace = steps.addObject().put("type", "Replace").put("content", space);
        replace.putObject("pattern").put("String", " ");
      }
      case EVERY_UNSPACED_PART, FIRST_UNSPACED_PART, NEVER_BEFORE_PARTS ->
          json.putObject("pre_tokenizer")
              .put("type", "Metaspace")
              .put("replacement", space)
              .put(
                  "prepend_scheme",
                  switch (bpe.spacePrefix()) {
                    case EVERY_UNSPACED_PART -> "always";
                    case FIRST_UNSPACED_PART -> "first";
                    case EVERY_PART, NEVER, NEVER_BEFORE_PARTS -> "never";
                  })
              .put("split", false);
    }
    ArrayNode steps = json.putObject("decoder").put("type", "Sequence").withArray("decoders");
    ObjectNode replace = steps.addObject().put("type", "Replace").put("content", " ");
    replace.putObject("pattern").put("String", space);
    steps.addObject().put("type", "ByteFallback");
    steps.addObject().put("type", "Fuse");
    if (bpe.spacePrefix().puts()) {
      steps.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
    }
    ObjectNode model = model(json, bpe, bpe.merges());
    if (bpe.unknown() >= 0) {
      model.put("unk_token", bpe.token(bpe.unknown()));
    } else {
      model.putNull("unk_token");
    }
    model.put("fuse_unk", false);
    model.put("byte_fallback", true);
    model.put("ignore_merges", false);
  }

  private static ObjectNode model(ObjectNode json, Tokenizer tokenizer, List<String> merges) {
    ObjectNode model = json.putObject("model");
    model.put("type", "BPE");
    model.putNull("dropout");
    model.putNull("continuing_subword_prefix");
    model.putNull("end_of_word_suffix");
    ObjectNode vocabulary = model.putObject("vocab");
    for (String token : spellings(tokenizer)) {
      vocabulary.put(token, tokenizer.id(token).orElseThrow());
    }
    merges.forEach(model.putArray("merges")::add);
    return model;
  }

  private static List<String> spellings(Tokenizer tokenizer) {
    List<String> spellings = new ArrayList<>();
    for (int id = 0; id < tokenizer.vocabSize(); id++) {
      if (tokenizer.has(id)) {
        spellings.add(tokenizer.token(id));
      }
    }
    return spellings;
  }

  private static ArrayNode added(List<AddedToken> tokens) {
    ArrayNode array = ModelJson.newObject().putArray("added_tokens");
    for (AddedToken token : tokens) {
      array
          .addObject()
          .put("id", token.id())
          .put("content", token.content())
          .put("single_word", false)
          .put("lstrip", token.lstrip())
          .put("rstrip", token.rstrip())
          .put("normalized", token.normalized())
          .put("special", token.special());
    }
    return array;
  }

  private static ObjectNode postProcessor(Tokenizer tokenizer) {
    ObjectNode post = ModelJson.newObject().put("type", "TemplateProcessing");
    ObjectNode specials = ModelJson.newObject();
    for (String kind : new String[] {"single", "pair"}) {
      ArrayNode items = post.putArray(kind);
      for (int type = 0; type < (kind.equals("single") ? 1 : 2); type++) {
        for (int id : tokenizer.prefix()) {
          special(items, specials, tokenizer, id, type);
        }
        items
            .addObject()
            .putObject("Sequence")
            .put("id", type == 0 ? "A" : "B")
            .put("type_id", type);
        for (int id : tokenizer.suffix()) {
          special(items, specials, tokenizer, id, type);
        }
      }
    }
    post.set("special_tokens", specials);
    return post;
  }

  private static void special(
      ArrayNode items, ObjectNode specials, Tokenizer tokenizer, int id, int type) {
    String token = tokenizer.token(id);
    items.addObject().putObject("SpecialToken").put("id", token).put("type_id", type);
    ObjectNode special = specials.putObject(token).put("id", token);
    special.putArray("ids").add(id);
    special.putArray("tokens").add(token);
  }

  /**
   * The metadata of a GGUF file with this tokenizer.
   *
   * @param rows of the model's embedding; ids without a token get a spelling of their own
   */
  public static Map<String, Object> ggufMetadata(
      Tokenizer tokenizer, int rows, Optional<ChatTemplate> template) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    List<String> tokens = new ArrayList<>();
    List<Integer> types = new ArrayList<>();
    for (int id = 0; id < Math.max(rows, tokenizer.vocabSize()); id++) {
      boolean known = tokenizer.has(id);
      tokens.add(known ? tokenizer.token(id) : "[PAD" + id + "]");
      types.add(known ? GgufTokenizer.typeOf(tokenizer, id) : GgufTokenizer.UNUSED);
    }
    if (tokenizer instanceof ByteLevelBpe bpe) {
      metadata.put("tokenizer.ggml.model", "gpt2");
      metadata.put(
          "tokenizer.ggml.pre", bpe.preTokenizer().ggufName(bpe.ignoresMerges(), bpe.composes()));
      metadata.put("tokenizer.ggml.merges", bpe.merges());
    } else if (tokenizer instanceof SentencePieceBpe bpe) {
      metadata.put("tokenizer.ggml.model", "llama");
      metadata.put("tokenizer.ggml.scores", scores(bpe, tokens.size()));
      metadata.put("tokenizer.ggml.add_space_prefix", bpe.spacePrefix().puts());
      if (bpe.unknown() >= 0) {
        metadata.put("tokenizer.ggml.unknown_token_id", bpe.unknown());
      }
    } else {
      throw unknown(tokenizer);
    }
    metadata.put("tokenizer.ggml.tokens", tokens);
    metadata.put("tokenizer.ggml.token_type", types);
    int[] prefix = tokenizer.prefix();
    metadata.put("tokenizer.ggml.add_bos_token", prefix.length > 0);
    if (prefix.length > 0) {
      // Whatever the model's configuration says of BOS: llama.cpp puts this one before a text.
      metadata.put("tokenizer.ggml.bos_token_id", prefix[0]);
    }
    template.ifPresent(
        t -> {
          metadata.put(ModelTemplates.GGUF_KEY, t.jinja());
          new TreeMap<>(t.others())
              .forEach((name, text) -> metadata.put(ModelTemplates.GGUF_KEY + "." + name, text));
          if (!t.others().isEmpty()) {
            metadata.put(ModelTemplates.GGUF_NAMES, t.others().keySet().stream().sorted().toList());
          }
        });
    return metadata;
  }

  /**
   * The file's scores, or such as give the merges' order: the token of an early merge is better.
   */
  private static List<Float> scores(SentencePieceBpe bpe, int size) {
    float[] scores = new float[size];
    if (bpe.scores().isPresent()) {
      float[] known = bpe.scores().get();
      System.arraycopy(known, 0, scores, 0, Math.min(size, known.length));
    } else {
      List<String> merges = bpe.merges();
      for (int rank = merges.size() - 1; rank >= 0; rank--) {
        String token = merges.get(rank).replaceFirst(" ", "");
        scores[bpe.id(token).orElseThrow()] = -1 - rank;
      }
    }
    List<Float> list = new ArrayList<>();
    for (float score : scores) {
      list.add(score);
    }
    return list;
  }

  private static IllegalArgumentException unknown(Tokenizer tokenizer) {
    return new IllegalArgumentException("Cannot write a tokenizer of " + tokenizer.getClass());
  }
}
