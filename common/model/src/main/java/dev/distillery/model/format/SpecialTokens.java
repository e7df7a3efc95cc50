package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The token ids that config.json and generation_config.json name. What generation_config.json says
 * about sampling is left aside: sampling is the caller's choice.
 *
 * @param bos what a text begins with, where the model has it
 * @param stop ids that end an answer, each once, the first being the model's EOS; may be empty
 * @param pad what short rows are filled with; arithmetic never looks at it
 */
public record SpecialTokens(OptionalInt bos, List<Integer> stop, OptionalInt pad) {
  /** Most stop ids that are believed. */
  private static final int MAX_STOPS = 64;

  public SpecialTokens {
    stop = List.copyOf(stop);
  }

  /** No special tokens at all. */
  public static SpecialTokens none() {
    return new SpecialTokens(OptionalInt.empty(), List.of(), OptionalInt.empty());
  }

  /** Reads the ids; what the generation's file says comes before what the model's says. */
  static SpecialTokens read(ModelJson config, Optional<ModelJson> generation, int vocabSize)
      throws ModelFileException {
    List<ModelJson> sources = new ArrayList<>();
    generation.ifPresent(sources::add);
    sources.add(config);
    List<Integer> bos = first(sources, "bos_token_id", vocabSize);
    List<Integer> stop = first(sources, "eos_token_id", vocabSize);
    List<Integer> pad = first(sources, "pad_token_id", vocabSize);
    return new SpecialTokens(single(bos), stop.stream().distinct().toList(), single(pad));
  }

  private static OptionalInt single(List<Integer> ids) {
    return ids.isEmpty() ? OptionalInt.empty() : OptionalInt.of(ids.get(0));
  }

  private static List<Integer> first(List<ModelJson> sources, String field, int vocabSize)
      throws ModelFileException {
    for (ModelJson source : sources) {
      if (source.has(field)) {
        return ids(source, field, vocabSize);
      }
    }
    return List.of();
  }

  private static List<Integer> ids(ModelJson source, String field, int vocabSize)
      throws ModelFileException {
    JsonNode value = source.node().get(field);
    List<Integer> ids = new ArrayList<>();
    for (JsonNode id : value.isArray() ? value : List.of(value)) {
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() >= vocabSize) {
        throw source.wrong(field, "token ids under vocab_size " + vocabSize);
      }
      // LLaMA 1 says -1 where it has none.
      if (id.intValue() >= 0) {
        ids.add(id.intValue());
      }
    }
    if (ids.size() > MAX_STOPS) {
      throw source.wrong(field, "at most " + MAX_STOPS + " token ids");
    }
    return ids;
  }

  /** What there is none of is null: for a missing key transformers takes the family's own id. */
  void write(ObjectNode json) {
    json.putNull("bos_token_id").putNull("eos_token_id").putNull("pad_token_id");
    bos.ifPresent(id -> json.put("bos_token_id", id));
    if (stop.size() == 1) {
      json.put("eos_token_id", stop.get(0));
    } else if (!stop.isEmpty()) {
      stop.forEach(json.putArray("eos_token_id")::add);
    }
    pad.ifPresent(id -> json.put("pad_token_id", id));
  }
}
