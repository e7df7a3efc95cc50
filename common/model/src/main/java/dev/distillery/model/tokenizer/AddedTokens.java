package dev.distillery.model.tokenizer;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Finds added tokens in a text as Hugging Face's tokenizers does: leftmost first and the longest of
 * those that begin together, in two rounds. The first looks for plain ones in the text as it is;
 * what it leaves is normalised, and the second looks there for those that are normalised, spelt as
 * the normaliser spells them: under LLaMA's, which puts U+2581 in front, {@code </s>} is found only
 * behind a space or at the beginning of a part.
 */
final class AddedTokens {
  /** Takes what lies between added tokens, normalised, and their ids. */
  interface Parts {
    void text(String text, int from, int to);

    void token(int id);
  }

  /** A token and how it is looked for. */
  private record Spelt(AddedToken token, String spelling) {}

  private final List<AddedToken> tokens;
  private final UnaryOperator<String> normalise;
  private final Map<Character, List<Spelt>> first = new HashMap<>();
  private final Map<Character, List<Spelt>> second = new HashMap<>();

  /**
   * @param normalise what is done to a text that no token of the first round is in
   */
  AddedTokens(List<AddedToken> tokens, UnaryOperator<String> normalise) {
    this.tokens = List.copyOf(tokens);
    this.normalise = normalise;
    List<Spelt> longestFirst = new ArrayList<>();
    // Where two are spelt alike, special ones come first.
    for (boolean special : new boolean[] {true, false}) {
      for (AddedToken token : tokens) {
        if (token.special() == special) {
          String content = token.content();
          longestFirst.add(
              new Spelt(token, token.normalized() ? normalise.apply(content) : content));
        }
      }
    }
    longestFirst.sort(Comparator.comparingInt((Spelt s) -> s.spelling().length()).reversed());
    for (Spelt spelt : longestFirst) {
      if (!spelt.spelling().isEmpty()) {
        (spelt.token().normalized() ? second : first)
            .computeIfAbsent(spelt.spelling().charAt(0), c -> new ArrayList<>())
            .add(spelt);
      }
    }
  }

  List<AddedToken> all() {
    return tokens;
  }

  /** Cuts a text at its added tokens; special ones are only passed over unless asked for. */
  void split(String text, boolean special, Parts parts) {
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
      Map<Character, List<Spelt>> tokens,
      boolean special,
      Parts parts) {
    int done = from;
    for (int i = from; i < to && !tokens.isEmpty(); ) {
      Spelt found = at(text, i, to, tokens);
      if (found == null) {
        i++;
        continue;
      }
      AddedToken token = found.token();
      int start = i;
      int end = i + found.spelling().length();
      // What is looked for goes on behind the spelling, whatever white space goes with a token.
      i = end;
      if (token.special() && !special) {
        continue;
      }
      if (token.lstrip()) {
        while (start > from && isSpace(text.charAt(start - 1))) {
          start--;
        }
        start = Math.max(start, done);
      }
      while (token.rstrip() && end < to && isSpace(text.charAt(end))) {
        end++;
      }
      if (done < start) {
        parts.text(text, done, start);
      }
      // White space that went with the token before may be all there was of this one.
      if (start < end) {
        parts.token(token.id());
      }
      done = end;
    }
    if (done < to) {
      parts.text(text, done, to);
    }
  }

  private static @Nullable Spelt at(
      String text, int i, int to, Map<Character, List<Spelt>> tokens) {
    for (Spelt spelt : tokens.getOrDefault(text.charAt(i), List.of())) {
      if (i + spelt.spelling().length() <= to && text.startsWith(spelt.spelling(), i)) {
        return spelt;
      }
    }
    return null;
  }

  private static boolean isSpace(char c) {
    return UnicodeClasses.of(c) == UnicodeClasses.SPACE;
  }
}
