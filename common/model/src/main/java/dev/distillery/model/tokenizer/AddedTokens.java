package dev.distillery.model.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Finds added tokens in a text, leftmost first and the longest of those that begin together. */
final class AddedTokens {
  /** Takes what lies between added tokens, and their ids. */
  interface Parts {
    void text(String text, int from, int to);

    void token(int id);
  }

  private final List<AddedToken> tokens;
  private final Map<Character, List<AddedToken>> first = new HashMap<>();
  private final Map<Character, List<AddedToken>> second = new HashMap<>();

  AddedTokens(List<AddedToken> tokens) {
    this.tokens = List.copyOf(tokens);
    List<AddedToken> longestFirst = new ArrayList<>(tokens);
    longestFirst.sort(Comparator.comparingInt((AddedToken t) -> t.content().length()).reversed());
    for (AddedToken token : longestFirst) {
      (token.normalized() ? second : first)
          .computeIfAbsent(token.content().charAt(0), c -> new ArrayList<>())
          .add(token);
    }
  }

  List<AddedToken> all() {
    return tokens;
  }

  /**
   * Cuts a text at its added tokens; special ones are looked for only if asked to.
   *
   * @param normalise what is done to a text that no token of the first round is in; the second
   *     round looks at what it gives
   */
  void split(String text, boolean special, UnaryOperator<String> normalise, Parts parts) {
    Parts inner =
        new Parts() {
          @Override
          public void text(String whole, int from, int to) {
            String part = whole.substring(from, to);
            String normal = normalise.apply(part);
            if (normal.equals(part)) {
              split(whole, from, to, second, special, parts);
            } else {
              split(normal, 0, normal.length(), second, special, parts);
            }
          }

          @Override
          public void token(int id) {
            parts.token(id);
          }
        };
    split(text, 0, text.length(), first, special, inner);
  }

  private static void split(
      String text,
      int from,
      int to,
      Map<Character, List<AddedToken>> tokens,
      boolean special,
      Parts parts) {
    int start = from;
    for (int i = from; i < to && !tokens.isEmpty(); i++) {
      for (AddedToken token : tokens.getOrDefault(text.charAt(i), List.of())) {
        int end = i + token.content().length();
        if (end > to || (token.special() && !special) || !text.startsWith(token.content(), i)) {
          continue;
        }
        int before = i;
        while (token.lstrip() && before > start && isSpace(text.charAt(before - 1))) {
          before--;
        }
        while (token.rstrip() && end < to && isSpace(text.charAt(end))) {
          end++;
        }
        if (before > start) {
          parts.text(text, start, before);
        }
        parts.token(token.id());
        start = end;
        i = end - 1;
        break;
      }
    }
    if (start < to) {
      parts.text(text, start, to);
    }
  }

  private static boolean isSpace(char c) {
    return UnicodeClasses.of(c) == UnicodeClasses.SPACE;
  }
}
