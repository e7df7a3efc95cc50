package dev.distillery.core.rating;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;

/** What src/test/golden/make_rating_goldens.py wrote. */
final class RatingGolden {
  private RatingGolden() {}

  static JsonNode rows(String member) throws IOException {
    try (InputStream in = RatingGolden.class.getResourceAsStream("/golden/ratings.json")) {
      return new ObjectMapper().readTree(in).required(member);
    }
  }

  static List<Double> numbers(JsonNode array) {
    List<Double> numbers = new ArrayList<>();
    array.forEach(node -> numbers.add(node.doubleValue()));
    return numbers;
  }
}
