package dev.distillery.core.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** What the scripts beside them in src/test/golden wrote. */
final class Golden {
  private Golden() {}

  /** By rouge_score_golden.py. */
  static JsonNode rougeScore() throws IOException {
    return read("/golden/rouge_score.json");
  }

  /** By answer_golden.py. */
  static JsonNode answers() throws IOException {
    return read("/golden/answers.json");
  }

  private static JsonNode read(String name) throws IOException {
    try (InputStream in = Golden.class.getResourceAsStream(name)) {
      return new ObjectMapper().readTree(in);
    }
  }

  static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(node -> strings.add(node.textValue()));
    return strings;
  }
}
