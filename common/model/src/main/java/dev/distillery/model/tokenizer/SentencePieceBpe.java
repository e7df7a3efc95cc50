package dev.distillery.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * BPE as SentencePiece does it for LLaMA 1 and 2: spaces are spelt U+2581, one is put before a
 * text, the characters of a whole text are symbols, and the pair whose union has the best score
 * merges first. A character that the vocabulary lacks becomes its UTF-8 bytes, spelt {@code
 * <0xE2>}.
 *
 * <p>In decoding, bytes that are no UTF-8 become U+FFFD as they do everywhere else; Hugging Face's
 * decoder replaces every byte of a run that is wrong somewhere.
 */
public final class SentencePieceBpe implements Tokenizer {
  /** What a space is spelt as. */
  static final char SPACE = '\u2581';

  /** Longest spelling, in chars; published vocabularies stay under 200. */
  private static final int MAX_TOKEN = 1024;

  /** Where a space is put in front. */
  enum Prefix {
    /** Before each part between added tokens. */
    EVERY_PART,
    /** Before each part that does not begin with one. */
    EVERY_UNSPACED_PART,
    /** Before the text, if it does not begin with one or with an added token. */
    FIRST_UNSPACED_PART,
    NEVER,
    /** Nowhere; and spaces are spelt anew where added tokens are found already. */
    NEVER_BEFORE_PARTS;

    /** Whether there is a place where one is put. */
    boolean puts() {
      return this != NEVER && this != NEVER_BEFORE_PARTS;
    }

    /** What is done to a text before added tokens are looked for that are normalised. */
    private String normalise(String text) {
      return switch (this) {
        case EVERY_PART -> text.isEmpty() ? text : SPACE + text.replace(' ', SPACE);
        case NEVER -> text.replace(' ', SPACE);
        case EVERY_UNSPACED_PART, FIRST_UNSPACED_PART, NEVER_BEFORE_PARTS -> text;
      };
    }
  }

  private final Vocabulary vocabulary;
  private final AddedTokens added;
  private final MergeTable table;
  private final Map<String, Integer> model;
  private final int[] byteIds = new int[256];
  private final int unknown;
  private final Prefix spacePrefix;
  private final int[] prefix;
  private final int[] suffix;
  private final Optional<float[]> scores;
  private final byte[][] tokenBytes;

  /**
   * A tokenizer.
   *
   * @param model spellings to ids, byte tokens among them
   * @param scores by id, where the file has them; the table was made from them
   * @param unknown the id of a character that cannot be spelt; -1 drops it
   */
  SentencePieceBpe(
      Map<String, Integer> model,
      MergeTable table,
      Optional<float[]> scores,
      List<AddedToken> added,
      int unknown,
      Prefix spacePrefix,
      int[] prefix,
      int[] suffix) {
    this.model = new HashMap<>(model);
    this.vocabulary = new Vocabulary(model, added);
    this.added = new AddedTokens(added, spacePrefix::normalise);
    this.table = table;
    this.scores = scores.map(float[]::clone);
    this.unknown = unknown;
    this.spacePrefix = spacePrefix;
    this.prefix = prefix.clone();
    this.suffix = suffix.clone();
    this.tokenBytes = new byte[vocabulary.size()][];
    for (int id = 0; id < tokenBytes.length; id++) {
      String token = vocabulary.has(id) ? vocabulary.token(id) : "";
      tokenBytes[id] = token.replace(SPACE, ' ').getBytes(StandardCharsets.UTF_8);
    }
    for (int b = 0; b < 256; b++) {
      byteIds[b] = model.getOrDefault(String.format(Locale.ROOT, "<0x%02X>", b), -1);
      if (byteIds[b] >= 0) {
        tokenBytes[byteIds[b]] = new byte[] {(byte) b};
      }
    }
  }

  /**
   * The pairs that merge by scores: any two tokens whose union is a token, the best score first.
   *
   * @param mergeable which ids take part; marks and bytes do not
   */
  static MergeTable byScores(Map<String, Integer> model, float[] scores, BitSet mergeable) {
    // Equal scores are equal ranks, so that the leftmost goes first whatever it makes.
    float[] sorted = scores.clone();
    Arrays.sort(sorted);
    Map<Float, Integer> ranks = new HashMap<>();
    for (int i = 0; i < sorted.length; i++) {
      ranks.put(sorted[i], sorted.length - 1 - i);
    }
    int pairs = 0;
    for (String token : model.keySet()) {
      if (token.length() > MAX_TOKEN) {
        throw new IllegalArgumentException("A token has " + token.length() + " characters");
      }
      pairs += Math.min(token.length(), 32);
    }
    MergeTable table = new MergeTable(pairs);
    model.forEach(
        (token, id) -> {
          for (int i = 1; i < token.length() && mergeable.get(id); i++) {
            Integer left = model.get(token.substring(0, i));
            Integer right = model.get(token.substring(i));
            if (left != null && right != null && mergeable.get(left) && mergeable.get(right)) {
              table.put(left, right, ranks.getOrDefault(scores[id], 0), id);
            }
          }
        });
    return table;
  }

  @Override
  public int vocabSize() {
    return vocabulary.size();
  }

  @Override
  public int[] encode(String text) {
    return encode(text, true);
  }

  @Override
  public int[] encodeOrdinary(String text) {
    return encode(text, false);
  }

  private int[] encode(String given, boolean special) {
    String text = Texts.wellFormed(given);
    IntBuilder ids = new IntBuilder();
    added.split(
        text,
        special,
        new AddedTokens.Parts() {
          @Override
          public void text(String whole, int from, int to) {
            boolean bare = whole.charAt(from) != ' ' && whole.charAt(from) != SPACE;
            boolean spaced =
                switch (spacePrefix) {
                  case EVERY_UNSPACED_PART -> bare;
                  case FIRST_UNSPACED_PART -> bare && from == 0;
                  case EVERY_PART, NEVER, NEVER_BEFORE_PARTS -> false;
                };
            part(whole, from, to, spaced, ids);
          }

          @Override
          public void token(int id) {
            ids.add(id);
          }
        });
    return ids.toArray();
  }

  private void part(String text, int from, int to, boolean spaced, IntBuilder ids) {
    // A character has at most four bytes for two chars, or three for one.
    int[] symbols = new int[Math.addExact(3, Math.multiplyExact(3, to - from))];
    int count = spaced ? symbol(SPACE, symbols, 0) : 0;
    for (int i = from; i < to; ) {
      int point = text.codePointAt(i);
      i += Character.charCount(point);
      count = symbol(point == ' ' ? SPACE : point, symbols, count);
    }
    ids.add(symbols, table.merge(symbols, count));
  }

  /** Appends a character's symbol, or those of its bytes, and returns the new count. */
  private int symbol(int point, int[] symbols, int count) {
    String character = Character.toString(point);
    Integer id = model.get(character);
    if (id != null) {
      symbols[count] = id;
      return count + 1;
    }
    int end = count;
    for (byte b : character.getBytes(StandardCharsets.UTF_8)) {
      int byteId = byteIds[b & 0xFF];
      if (byteId < 0) {
        if (unknown >= 0) {
          symbols[count] = unknown;
        }
        return count + (unknown >= 0 ? 1 : 0);
      }
      symbols[end++] = byteId;
    }
    return end;
  }

  @Override
  public int[] prefix() {
    return prefix.clone();
  }

  @Override
  public int[] suffix() {
    return suffix.clone();
  }

  @Override
  public TokenDecoder decoder(boolean skipSpecial) {
    return new TokenDecoder(
        id -> {
          if (!vocabulary.has(id) || (skipSpecial && vocabulary.isSpecial(id))) {
            return new byte[0];
          }
          return tokenBytes[id];
        },
        spacePrefix.puts());
  }

  @Override
  public OptionalInt id(String token) {
    return vocabulary.id(token);
  }

  @Override
  public boolean has(int id) {
    return vocabulary.has(id);
  }

  @Override
  public String token(int id) {
    return vocabulary.token(id);
  }

  @Override
  public boolean isSpecial(int id) {
    return vocabulary.isSpecial(id);
  }

  Optional<float[]> scores() {
    return scores.map(float[]::clone);
  }

  List<AddedToken> added() {
    return added.all();
  }

  /** Pairs of spellings with a space between, the earliest first. */
  List<String> merges() {
    return table.pairs().stream()
        .map(p -> vocabulary.token(p[0]) + " " + vocabulary.token(p[1]))
        .toList();
  }

  int unknown() {
    return unknown;
  }

  Prefix spacePrefix() {
    return spacePrefix;
  }

  @Override
  public String toString() {
    return "SentencePiece BPE, " + vocabSize() + " tokens";
  }
}
