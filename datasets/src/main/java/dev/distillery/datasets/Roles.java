package dev.distillery.datasets;

import java.util.Locale;
import java.util.Optional;

/** What sources call the two who talk, under the tables' names. */
public final class Roles {
  public static final String USER = "user";
  public static final String ASSISTANT = "assistant";
  public static final String SYSTEM = "system";

  private Roles() {}

  /** The table's name of a role, if it is known. */
  public static Optional<String> of(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "user", "human", "prompter" -> Optional.of(USER);
      case "assistant", "gpt", "chatgpt", "bot", "bing", "bard", "model" -> Optional.of(ASSISTANT);
      case "system" -> Optional.of(SYSTEM);
      default -> Optional.empty();
    };
  }

  /** The table's name of a role; the row is rejected where it is not known. */
  public static String require(String name) throws RejectedRowException {
    return of(name)
        .orElseThrow(
            () ->
                new RejectedRowException(
                    "unknown_role", "No role of a dialogue: '" + shortened(name) + "'"));
  }

  private static String shortened(String name) {
    return name.length() > 40 ? name.substring(0, 40) + "..." : name;
  }
}
