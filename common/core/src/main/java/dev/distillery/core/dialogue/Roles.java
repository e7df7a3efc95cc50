package dev.distillery.core.dialogue;

import java.util.Locale;
import java.util.Optional;

/** What people call those who talk, under the tables' names. */
public final class Roles {
  public static final String USER = "user";
  public static final String ASSISTANT = "assistant";
  public static final String SYSTEM = "system";
  public static final String TOOL = "tool";

  private Roles() {}

  /** The table's name of a role, if it is known. */
  public static Optional<String> of(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "user", "human", "prompter" -> Optional.of(USER);
      case "assistant", "gpt", "chatgpt", "bot", "bing", "bard", "model", "function_call" ->
          Optional.of(ASSISTANT);
      case "system", "developer" -> Optional.of(SYSTEM);
      case "tool", "function", "observation" -> Optional.of(TOOL);
      default -> Optional.empty();
    };
  }
}
