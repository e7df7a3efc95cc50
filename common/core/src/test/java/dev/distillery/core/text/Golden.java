package dev.distillery.core.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** What rouge_score_golden.py wrote. */
final class Golden {
  private Golden() {}

  static JsonNode rougeScore() throws IOException {
    try (InputStream in = Golden.class.getResourceAsStream("/golden/rouge_score.json")) {
      return new ObjectMapper().readTree(in);
    }
  }

  static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(node -> strings.add(node.textValue()));
    return strings;
  }
}
