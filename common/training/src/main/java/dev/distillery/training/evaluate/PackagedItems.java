package dev.distillery.training.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;

/**
 * Items of our own that come with the library, in the manner of data sets that are not free to
 * ship; always in the same order, whatever the seed.
 *
 * @param set name of the set
 */
record PackagedItems(String set) implements ItemGenerator {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();

  static ItemGenerator of(Map<String, String> values, List<String> problems) {
    ItemGenerator.unknown(values, List.of("set"), problems);
    String set = values.getOrDefault("set", "");
    if (!set.matches("[a-z0-9-]{1,40}")
        || PackagedItems.class.getResource("items/" + set + ".jsonl") == null) {
      problems.add("'set': no items called '" + set + "' are packaged");
    }
    return new PackagedItems(set);
  }

  private List<String> lines() {
    return TaskFiles.resource("items/" + set + ".jsonl").lines().toList();
  }

  @Override
  public long items() {
    return lines().size();
  }

  @Override
  public List<String> columns() {
    return row(0, 0).properties().stream().map(Map.Entry::getKey).toList();
  }

  @Override
  public ObjectNode row(long seed, long index) {
    try {
      return (ObjectNode) JSON.readTree(lines().get((int) index));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
