package dev.distillery.model.constrain;

import dev.distillery.model.constrain.JsonConstraint.State;
import dev.distillery.model.tokenizer.TokenDecoder;
import dev.distillery.model.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/**
 * Which tokens of a vocabulary may come next under a constraint. Special tokens never may, nor
 * those of more than {@link #MOST_BYTES} bytes. Made once for a tokenizer; safe for several
 * threads.
 *
 * <p>A trie of the tokens' bytes is walked with the automaton, so that tokens which begin alike are
 * looked at together. Inside a string most tokens may stand, whatever the schema: those are kept by
 * their number of characters, and only the others are walked.
 */
public final class TokenMask {
  /** Longest token in bytes. */
  static final int MOST_BYTES = 256;

  private static final int MOST_KEPT = 256;
  private static final int MOST_CONSTRAINTS = 64;

  private final List<byte[]> bytes = new ArrayList<>();
  private final BitSet single = new BitSet();
  private final Tokens all;
  private final Tokens marked;

  /** Tokens that may stand inside a string as they are, of at most so many characters. */
  private final List<BitSet> plain = new ArrayList<>();

  private final Map<Reading, BitSet> kept = new Latest<>(MOST_KEPT);
  private final Map<JsonConstraint, JsonConstraint> constraints = new Latest<>(MOST_CONSTRAINTS);

  /** Forgets what was asked for longest ago. */
  private static final class Latest<K, V> extends LinkedHashMap<K, V> {
    private static final long serialVersionUID = 1L;

    private final int most;

    Latest(int most) {
      super(16, 0.75f, true);
      this.most = most;
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
      return size() > most;
    }
  }

  private record Tokens(List<Integer> ids, ByteTrie trie) {}

  /**
   * The tokens of a tokenizer.
   *
   * @param text which ids may be written at all; special ones may not in any case
   */
  public TokenMask(Tokenizer tokenizer, IntPredicate text) {
    TokenDecoder decoder = tokenizer.decoder(true);
    List<Integer> ids = new ArrayList<>();
    for (int id = 0; id < tokenizer.vocabSize(); id++) {
      byte[] spelt =
          tokenizer.has(id) && !tokenizer.isSpecial(id) && text.test(id)
              ? decoder.bytes(id)
              : new byte[0];
      bytes.add(spelt);
      if (spelt.length > 0 && spelt.length <= MOST_BYTES) {
        ids.add(id);
        if (spelt.length == 1) {
          single.set(spelt[0] & 0xFF);
        }
      }
    }
    if (single.nextClearBit(0x80) < 0xC0) {
      // A character that is begun may not be ended by any token.
      ids.removeIf(id -> !JsonText.wholeCharacters(bytes.get(id)));
      single.clear(0x80, 0x100);
    }
    List<Integer> others = new ArrayList<>();
    for (int id : ids) {
      int points = JsonText.plainPoints(bytes.get(id));
      if (points < 0) {
        others.add(id);
      } else {
        while (plain.size() <= points) {
          plain.add(new BitSet());
        }
        plain.get(points).set(id);
      }
    }
    for (int i = 1; i < plain.size(); i++) {
      plain.get(i).or(plain.get(i - 1));
    }
    this.all = tokens(ids);
    this.marked = tokens(others);
  }

  private Tokens tokens(List<Integer> ids) {
    return new Tokens(ids, new ByteTrie(ids.stream().map(bytes::get).toList()));
  }

  /**
   * A constraint equal to the given one, always the same: what is found out under it is kept.
   *
   * @throws IllegalArgumentException where the vocabulary lacks a byte that it may need
   */
  public synchronized JsonConstraint known(JsonConstraint constraint) {
    BitSet lacking = (BitSet) constraint.needed().clone();
    lacking.andNot(single);
    if (!lacking.isEmpty()) {
      throw new IllegalArgumentException(
          "response_format needs byte 0x%s as a token of its own; the model has none"
              .formatted(HexFormat.of().toHexDigits((byte) lacking.nextSetBit(0))));
    }
    JsonConstraint known = constraints.putIfAbsent(constraint, constraint);
    return known == null ? constraint : known;
  }

  /** The ids that may come next. */
  public synchronized BitSet allowed(State state) {
    if (state.readings().size() == 1) {
      return (BitSet) kept(state.readings().get(0)).clone();
    }
    var allowed = new BitSet();
    for (Reading reading : state.readings()) {
      allowed.or(kept(reading));
    }
    return allowed;
  }

  private BitSet kept(Reading reading) {
    return kept.computeIfAbsent(reading, this::allowed);
  }

  private BitSet allowed(Reading reading) {
    var state = new State(List.of(reading), false);
    if (!(reading.rule() instanceof JsonText text) || reading.at() != JsonText.BODY) {
      var allowed = new BitSet();
      walk(all, 0, state, allowed);
      return allowed;
    }
    int most = (int) Math.min(text.room(reading), plain.size() - 1);
    BitSet allowed = most < 0 ? new BitSet() : (BitSet) plain.get(most).clone();
    walk(marked, 0, state, allowed);
    return allowed;
  }

  /** Depth is a token's length at most. */
  private static void walk(Tokens tokens, int node, State state, BitSet into) {
    ByteTrie trie = tokens.trie;
    for (int child = trie.firstChild(node); child < trie.endOfChildren(node); child++) {
      State next = state.next(trie.label(child));
      if (next.goesOn() || next.isComplete()) {
        for (int i = 0; i < trie.endsAt(child); i++) {
          into.set(tokens.ids.get(trie.entry(child, i)));
        }
        if (next.goesOn()) {
          walk(tokens, child, next, into);
        }
      }
    }
  }

  /** The state behind a token. */
  public State next(State state, int id) {
    State next = state;
    for (byte b : bytes.get(id)) {
      next = next.next(b & 0xFF);
    }
    return next;
  }
}
