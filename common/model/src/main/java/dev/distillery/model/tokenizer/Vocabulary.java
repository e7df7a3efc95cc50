package dev.distillery.model.tokenizer;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Tokens by id and by spelling, and which of them are special. */
final class Vocabulary {
  /** More ids than any published tokenizer has, by some ten times. */
  static final int MAX_SIZE = 1 << 22;

  private final @Nullable String[] tokens;
  private final Map<String, Integer> ids;
  private final BitSet special = new BitSet();

  /**
   * A vocabulary.
   *
   * @param model spellings to ids, in [0, {@link #MAX_SIZE})
   * @param added tokens beside them or among them
   * @throws IllegalArgumentException if an id is out of range or has two spellings
   */
  Vocabulary(Map<String, Integer> model, List<AddedToken> added) {
    this.ids = new HashMap<>(model);
    for (AddedToken token : added) {
      ids.put(token.content(), token.id());
      if (token.special() && token.id() >= 0) {
        special.set(token.id());
      }
    }
    int size = 0;
    for (int id : ids.values()) {
      if (id < 0 || id >= MAX_SIZE) {
        throw new IllegalArgumentException("Token id out of range [0, " + MAX_SIZE + "): " + id);
      }
      size = Math.max(size, id + 1);
    }
    this.tokens = new @Nullable String[size];
    ids.forEach(
        (token, id) -> {
          String other = tokens[id];
          if (other != null) {
            throw new IllegalArgumentException(
                "Token id " + id + " has two spellings: " + other + " and " + token);
          }
          tokens[id] = token;
        });
  }

  int size() {
    return tokens.length;
  }

  OptionalInt id(String token) {
    Integer id = ids.get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  int idOr(String token, int fallback) {
    return ids.getOrDefault(token, fallback);
  }

  String token(int id) {
    String token = id >= 0 && id < tokens.length ? tokens[id] : null;
    if (token == null) {
      throw new IllegalArgumentException(
          "No token has id " + id + "; there are " + tokens.length + " ids");
    }
    return token;
  }

  /** Whether there is such an id. */
  boolean has(int id) {
    return id >= 0 && id < tokens.length && tokens[id] != null;
  }

  boolean isSpecial(int id) {
    return id >= 0 && special.get(id);
  }

  /** Every spelling, by id; null where an id is left out. */
  @Nullable String[] tokens() {
    return Arrays.copyOf(tokens, tokens.length);
  }
}
