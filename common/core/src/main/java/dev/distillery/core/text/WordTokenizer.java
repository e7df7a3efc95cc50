package dev.distillery.core.text;

import java.util.List;

/** Cuts a text into the tokens that are compared. Implementations are stateless. */
public interface WordTokenizer {

  /** The names that {@link #named} knows. */
  List<String> NAMES = List.of(RougeTokenizer.NAME, UnicodeTokenizer.NAME);

  /** The tokens of a text in their order; empty if it has none. No token holds a NUL character. */
  List<String> tokenize(String text);

  /**
   * The tokenizer of that name: {@code rouge} or {@code unicode}.
   *
   * @throws IllegalArgumentException if there is none
   */
  static WordTokenizer named(String name) {
    return switch (name) {
      case RougeTokenizer.NAME -> new RougeTokenizer();
      case UnicodeTokenizer.NAME -> new UnicodeTokenizer();
      default ->
          throw new IllegalArgumentException(
              "Unknown tokenizer '" + name + "': use one of " + String.join(", ", NAMES));
    };
  }
}
