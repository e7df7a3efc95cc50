package dev.distillery.model.constrain;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.SplittableRandom;

/**
 * A response format: refused with its place, nothing, or a constraint under which a text of some
 * length, drawn, comes to an end that parses.
 */
public final class JsonConstraintFuzz {
  private static final ObjectMapper JSON = new ObjectMapper();

  private JsonConstraintFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    JsonNode format;
    try {
      format = JSON.readTree(data);
    } catch (IOException e) {
      return;
    }
    JsonConstraint constraint;
    try {
      constraint = JsonConstraint.read(format).orElse(null);
    } catch (SchemaException e) {
      String message = String.valueOf(e.getMessage());
      if (!message.startsWith("response_format") || message.length() > 1_000) {
        throw new IllegalStateException(message, e);
      }
      return;
    }
    // What must be long takes long.
    if (constraint != null && !format.toString().matches("(?s).*\"min(Length|Items)\":\\d{3}.*")) {
      JSON.readTree(Walks.text(constraint, new SplittableRandom(data.length), data.length % 50));
    }
  }
}
