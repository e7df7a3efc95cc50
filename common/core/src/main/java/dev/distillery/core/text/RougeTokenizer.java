package dev.distillery.core.text;

import java.util.ArrayList;
import java.util.List;

/**
 * The tokenizer of the Python package {@code rouge_score} without its stemmer: the text is
 * lower-cased as Python does, and every run of {@code a-z0-9} is a token. All else separates, so a
 * text in another script has no token, and an accented letter splits its word.
 *
 * <p>Outside {@code A-Z}, two characters lower-case to something ASCII: the Kelvin sign (U+212A) to
 * {@code k}, and the dotted capital I (U+0130) to {@code i} with a combining dot, which ends the
 * token.
 */
public final class RougeTokenizer implements WordTokenizer {
  /** The name on the command line. */
  public static final String NAME = "rouge";

  private static final char DOTTED_CAPITAL_I = '\u0130';
  private static final char KELVIN_SIGN = '\u212A';

  @Override
  public List<String> tokenize(String text) {
    List<String> tokens = new ArrayList<>();
    var token = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        token.append(c);
      } else if (c >= 'A' && c <= 'Z') {
        token.append((char) (c + ('a' - 'A')));
      } else if (c == KELVIN_SIGN) {
        token.append('k');
      } else {
        if (c == DOTTED_CAPITAL_I) {
          token.append('i');
        }
        flush(token, tokens);
      }
    }
    flush(token, tokens);
    return tokens;
  }

  private static void flush(StringBuilder token, List<String> tokens) {
    if (!token.isEmpty()) {
      tokens.add(token.toString());
      token.setLength(0);
    }
  }
}
