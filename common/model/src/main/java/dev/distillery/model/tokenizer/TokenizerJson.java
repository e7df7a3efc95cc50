package dev.distillery.model.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.ModelJson;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads tokenizer.json: byte-level BPE with one of the known pre-tokenizers, and
 * SentencePiece-style BPE with byte fallback. What would make other ids than Hugging Face's is
 * refused, by the name of the part that is not known.
 */
final class TokenizerJson {
  private final ModelJson json;
  private final ModelJson modelJson;
  private final Map<String, Integer> vocabulary = new HashMap<>();
  private final List<String> merges = new ArrayList<>();
  private final List<AddedToken> added = new ArrayList<>();

  private TokenizerJson(ModelJson json) throws ModelFileException {
    this.json = json;
    this.modelJson = json.object("model").orElseThrow(() -> json.wrong("model", "an object"));
  }

  static Tokenizer read(ModelJson json) throws ModelFileException {
    try {
      return new TokenizerJson(json).read();
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  private Tokenizer read() throws ModelFileException {
    String type = modelJson.text("type", "BPE");
    if (!type.equals("BPE")) {
      throw modelJson.wrong("type", "BPE");
    }
    for (String field :
        new String[] {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
      JsonNode value = modelJson.node().path(field);
      if (!value.isMissingNode() && !value.isNull() && !value.asText().isEmpty()) {
        throw modelJson.wrong(field, "null");
      }
    }
    readVocabulary();
    readMerges();
    readAdded();
    return modelJson.bool("byte_fallback", false) ? sentencePiece() : byteLevel();
  }

  private void readVocabulary() throws ModelFileException {
    ModelJson vocab =
        modelJson.object("vocab").orElseThrow(() -> modelJson.wrong("vocab", "an object"));
    for (Map.Entry<String, JsonNode> entry : vocab.node().properties()) {
      vocabulary.put(entry.getKey(), vocab.integer(entry.getKey()));
    }
  }

  private void readMerges() throws ModelFileException {
    for (JsonNode merge : modelJson.node().path("merges")) {
      if (merge.isTextual()) {
        merges.add(merge.textValue());
      } else if (merge.isArray()
          && merge.size() == 2
          && merge.get(0).isTextual()
          && merge.get(1).isTextual()) {
        merges.add(merge.get(0).textValue() + " " + merge.get(1).textValue());
      } else {
        throw json.error(
            "merge " + merges.size() + " is neither \"a b\" nor [\"a\", \"b\"]: " + merge);
      }
    }
  }

  private void readAdded() throws ModelFileException {
    for (JsonNode node : json.node().path("added_tokens")) {
      String content = node.path("content").asText();
      if (!node.path("id").canConvertToInt() || content.isEmpty()) {
        throw json.error("an added token has no id or no content: " + node);
      }
      if (node.path("single_word").asBoolean()) {
        throw json.error("added token " + content + " is of single words, which is not supported");
      }
      added.add(
          new AddedToken(
              node.path("id").intValue(),
              content,
              node.path("special").asBoolean(),
              node.path("normalized").asBoolean(),
              node.path("lstrip").asBoolean(),
              node.path("rstrip").asBoolean()));
    }
  }

  private Tokenizer byteLevel() throws ModelFileException {
    boolean composes = json.node().path("normalizer").path("type").asText().equals("NFC");
    if (json.has("normalizer") && !composes) {
      throw json.wrong("normalizer", "null or NFC for byte-level BPE");
    }
    if (modelJson.has("unk_token")) {
      throw modelJson.wrong("unk_token", "null for byte-level BPE");
    }
    return new ByteLevelBpe(
        preTokenizer(),
        vocabulary,
        merges,
        added,
        modelJson.bool("ignore_merges", false),
        composes,
        special("single", true),
        special("single", false));
  }

  private PreTokenizer preTokenizer() throws ModelFileException {
    JsonNode node = json.node().path("pre_tokenizer");
    List<JsonNode> steps = new ArrayList<>();
    if (node.path("type").asText().equals("Sequence")) {
      node.path("pretokenizers").forEach(steps::add);
    } else {
      steps.add(node);
    }
    JsonNode last = steps.isEmpty() ? node : steps.get(steps.size() - 1);
    JsonNode first = steps.isEmpty() ? node : steps.get(0);
    boolean byteLevel =
        last.path("type").asText().equals("ByteLevel")
            && !last.path("add_prefix_space").asBoolean(true);
    boolean gpt2 = last.path("use_regex").asBoolean(true);
    if (byteLevel && gpt2 && steps.size() == 1) {
      return PreTokenizer.GPT2;
    }
    if (byteLevel && steps.size() == 2) {
      if (gpt2
          && first.path("type").asText().equals("Digits")
          && first.path("individual_digits").asBoolean()) {
        return PreTokenizer.SMOLLM;
      }
      boolean split =
          !gpt2
              && first.path("type").asText().equals("Split")
              && first.path("behavior").asText().equals("Isolated")
              && !first.path("invert").asBoolean();
      String pattern = first.path("pattern").path("Regex").asText();
      if (split && PreTokenizer.ofPattern(pattern).isPresent()) {
        return PreTokenizer.ofPattern(pattern).get();
      }
    }
    throw json.wrong(
        "pre_tokenizer",
        "GPT-2's, SmolLM's, LLaMA-3's, Qwen's or Tekken's, without a space put in front");
  }

  private Tokenizer sentencePiece() throws ModelFileException {
    MergeTable table = new MergeTable(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      String merge = merges.get(rank);
      int space = merge.indexOf(' ');
      Integer left = space < 0 ? null : vocabulary.get(merge.substring(0, space));
      Integer right = space < 0 ? null : vocabulary.get(merge.substring(space + 1));
      Integer result = vocabulary.get(merge.replaceFirst(" ", ""));
      if (left == null || right == null || result == null) {
        throw json.error("merge " + rank + " is not of two tokens into a third: " + merge);
      }
      table.put(left, right, rank, result);
    }
    int unknown =
        modelJson.has("unk_token") ? vocabulary.getOrDefault(modelJson.text("unk_token"), -1) : -1;
    return new SentencePieceBpe(
        vocabulary,
        table,
        Optional.empty(),
        added,
        unknown,
        spacePrefix(),
        special("single", true),
        special("single", false));
  }

  private SentencePieceBpe.Prefix spacePrefix() throws ModelFileException {
    JsonNode normalizer = json.node().path("normalizer");
    JsonNode pre = json.node().path("pre_tokenizer");
    if (pre.path("type").asText().equals("Metaspace") && normalizer.isNull()) {
      if (pre.path("split").asBoolean(true) || !pre.path("replacement").asText().equals("\u2581")) {
        throw json.wrong("pre_tokenizer", "a Metaspace that does not split");
      }
      return switch (pre.path("prepend_scheme").asText()) {
        case "first" -> SentencePieceBpe.Prefix.FIRST_UNSPACED_PART;
        case "always" -> SentencePieceBpe.Prefix.EVERY_UNSPACED_PART;
        case "never" -> SentencePieceBpe.Prefix.NEVER_BEFORE_PARTS;
        default -> throw json.wrong("pre_tokenizer", "a Metaspace with a known prepend_scheme");
      };
    }
    boolean prepend = false;
    boolean replace = false;
    List<JsonNode> steps = new ArrayList<>();
    if (normalizer.has("normalizers")) {
      normalizer.path("normalizers").forEach(steps::add);
    } else {
      steps.add(normalizer);
    }
    for (JsonNode step : steps) {
      switch (step.path("type").asText()) {
        case "Prepend" -> prepend = step.path("prepend").asText().equals("\u2581");
        case "Replace" ->
            replace =
                step.path("content").asText().equals("\u2581")
                    && step.path("pattern").path("String").asText().equals(" ");
        default ->
            throw json.wrong("normalizer", "Prepend and Replace (LLaMA), or Replace (Gemma)");
      }
    }
    if (!replace) {
      throw json.wrong("normalizer", "Prepend and Replace (LLaMA), or Replace (Gemma)");
    }
    // Gemma splits at spaces, of which Replace has left none.
    boolean idle =
        pre.path("type").asText().equals("Split")
            && pre.path("pattern").path("String").asText().equals(" ");
    if (!pre.isNull() && !idle) {
      throw json.wrong("pre_tokenizer", "null beside Replace");
    }
    return prepend ? SentencePieceBpe.Prefix.EVERY_PART : SentencePieceBpe.Prefix.NEVER;
  }

  /** The ids that the post-processor puts before, or after, a single text. */
  private int[] special(String template, boolean before) throws ModelFileException {
    JsonNode post = json.node().path("post_processor");
    List<JsonNode> steps = new ArrayList<>();
    if (post.path("type").asText().equals("Sequence")) {
      post.path("processors").forEach(steps::add);
    } else if (post.isObject()) {
      steps.add(post);
    }
    IntBuilder ids = new IntBuilder();
    for (JsonNode step : steps) {
      switch (step.path("type").asText()) {
        case "ByteLevel" -> {}
        case "RobertaProcessing", "BertProcessing" ->
            ids.add(checked(step.path(before ? "cls" : "sep").path(1)));
        case "TemplateProcessing" -> {
          boolean seen = false;
          for (JsonNode item : step.path(template)) {
            if (item.has("Sequence")) {
              seen = true;
            } else if (seen != before) {
              String name = item.path("SpecialToken").path("id").asText();
              for (JsonNode id : step.path("special_tokens").path(name).path("ids")) {
                ids.add(checked(id));
              }
            }
          }
        }
        default -> throw json.wrong("post_processor", "a template");
      }
    }
    return ids.toArray();
  }

  private int checked(JsonNode id) throws ModelFileException {
    if (!id.isInt() || id.intValue() < 0 || id.intValue() >= Vocabulary.MAX_SIZE) {
      throw json.wrong("post_processor", "a template with token ids");
    }
    return id.intValue();
  }
}
