package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.Nearest;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/** Makes the rows of a task from a seed: row {@code i} depends on seed and {@code i} alone. */
public interface ItemGenerator extends Serializable {
  /** A row, without its id. */
  ObjectNode row(long seed, long index);

  /** How many rows there are; without end where a seed makes them. */
  default long items() {
    return Long.MAX_VALUE;
  }

  /** Whether a seed makes as many rows as are wanted. */
  default boolean isEndless() {
    return items() == Long.MAX_VALUE;
  }

  /** The columns of its rows. */
  List<String> columns();

  /**
   * The generator of a task file.
   *
   * @param name {@code arithmetic}, {@code scramble} or {@code packaged}
   * @param values its settings
   * @param problems gets what is wrong; what is returned then serves no other purpose
   */
  static ItemGenerator of(String name, Map<String, String> values, List<String> problems) {
    List<String> known = List.of("arithmetic", "scramble", "packaged");
    return switch (name) {
      case "arithmetic" -> ArithmeticItems.of(values, problems);
      case "packaged" -> PackagedItems.of(values, problems);
      case "scramble" -> ScrambledWords.of(values, problems);
      default -> {
        problems.add(
            "Unknown generator '%s'; known: %s%s"
                .formatted(name, String.join(", ", known), Nearest.hint(name, known)));
        yield new ArithmeticItems(ArithmeticItems.Operation.ADDITION, 2);
      }
    };
  }

  /** Says which settings a generator does not have. */
  static void unknown(Map<String, String> values, List<String> known, List<String> problems) {
    for (String key : values.keySet()) {
      if (!known.contains(key)) {
        problems.add("Unknown key '" + key + "'" + Nearest.hint(key, known));
      }
    }
  }
}
