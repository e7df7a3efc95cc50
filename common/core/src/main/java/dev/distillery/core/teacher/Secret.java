package dev.distillery.core.teacher;

import java.util.Objects;

/**
 * A value that must not be seen: prints as {@code ***}, is not serialisable, and gives its text
 * only when asked by name.
 */
public final class Secret {
  /** No secret at all, for servers that need none. */
  public static final Secret NONE = new Secret("");

  private final String value;

  private Secret(String value) {
    this.value = value;
  }

  public static Secret of(String value) {
    return new Secret(Objects.requireNonNull(value, "value"));
  }

  /** The secret itself. Only what sends it calls this. */
  public String reveal() {
    return value;
  }

  public boolean isEmpty() {
    return value.isEmpty();
  }

  @Override
  public String toString() {
    return "***";
  }
}
