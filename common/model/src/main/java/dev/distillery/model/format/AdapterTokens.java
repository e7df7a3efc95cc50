package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.format.ModelFileException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;

/**
 * Rows of single tokens beside a LoRA adapter, as PEFT has them: {@code trainable_token_indices}
 * names their ids, a list for the embedding or a list for each of some modules, and a tensor {@code
 * MODULE.token_adapter.trainable_tokens_delta} [ids, dim] holds the rows themselves, which take the
 * place of the base's. A head that is the embedding shares its rows, and has no tensor. Source:
 * PEFT, {@code TrainableTokensLayer} and {@code set_additional_trainable_modules}.
 */
final class AdapterTokens {
  private static final String FIELD = "trainable_token_indices";

  private AdapterTokens() {}

  /** The module whose rows a tensor holds; empty where it holds none. */
  static String module(String tensor) {
    return tensor.endsWith(AdapterFiles.TOKEN_ROWS)
        ? tensor.substring(0, tensor.length() - AdapterFiles.TOKEN_ROWS.length())
        : "";
  }

  /**
   * The ids of each module's rows: by the module's whole name where it has a tensor, by the name
   * that the file gives it where it has none.
   *
   * @param modules that have a tensor
   */
  static Map<String, List<Integer>> read(ModelJson json, Set<String> modules)
      throws ModelFileException {
    Map<String, List<Integer>> given = given(json, modules);
    Map<String, List<Integer>> tokens = new TreeMap<>(given);
    for (String module : modules) {
      List<String> names = given.keySet().stream().filter(module::endsWith).toList();
      if (names.size() != 1) {
        throw json.wrong(FIELD, "the ids of the rows that the adapter has of " + module);
      }
      tokens.remove(names.get(0));
      tokens.put(module, Objects.requireNonNull(given.get(names.get(0))));
    }
    return tokens;
  }

  private static Map<String, List<Integer>> given(ModelJson json, Set<String> modules)
      throws ModelFileException {
    if (!json.has(FIELD)) {
      return Map.of();
    }
    JsonNode value = json.node().get(FIELD);
    Map<String, List<Integer>> given = new TreeMap<>();
    if (value.isArray()) {
      if (value.isEmpty()) {
        return Map.of();
      }
      if (modules.size() != 1) {
        throw json.wrong(
            FIELD,
            "ids of rows that the adapter has, one tensor token_adapter.trainable_tokens_delta (it has %s)"
                .formatted(modules.size()));
      }
      given.put(modules.iterator().next(), ids(json, value));
    } else if (value.isObject()) {
      for (Map.Entry<String, JsonNode> entry : value.properties()) {
        given.put(entry.getKey(), ids(json, entry.getValue()));
      }
    } else {
      throw json.wrong(FIELD, "a list of ids, or one for each of some modules");
    }
    return given;
  }

  private static List<Integer> ids(ModelJson json, JsonNode value) throws ModelFileException {
    List<Integer> ids = new ArrayList<>();
    for (JsonNode id : value) {
      if (!id.isIntegralNumber() || !id.canConvertToInt() || id.intValue() < 0) {
        throw json.wrong(FIELD, "lists of ids from 0 on");
      }
      ids.add(id.intValue());
    }
    if (!value.isArray() || ids.isEmpty() || new HashSet<>(ids).size() != ids.size()) {
      throw json.wrong(FIELD, "lists of ids, each once");
    }
    return ids;
  }
}
