package dev.distillery.model.tokenizer;

import java.text.Normalizer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Byte-level BPE: a text is cut into pieces, each piece's UTF-8 bytes are symbols, and neighbouring
 * symbols merge by rank. Bit-equal to Hugging Face's tokenizers. A byte that the vocabulary lacks
 * (SmolLM2's lacks some controls) is dropped, as there.
 */
public final class ByteLevelBpe implements Tokenizer {
  private final PreTokenizer preTokenizer;
  private final Vocabulary vocabulary;
  private final AddedTokens added;
  private final List<String> merges;
  private final MergeTable table;
  private final Set<String> whole;
  private final boolean composes;
  private final int[] byteIds = new int[256];
  private final int[] prefix;
  private final int[] suffix;
  private final byte[][] tokenBytes;

  /**
   * A tokenizer.
   *
   * @param model spellings, in GPT-2's alphabet of bytes, to ids
   * @param merges pairs of spellings with a space between, the earliest first
   * @param ignoreMerges whether a piece that is a token is taken as it is (LLaMA 3)
   * @param composes whether text is put into Unicode's composed form first (Qwen)
   * @throws IllegalArgumentException if a merge is of, or makes, what is no token
   */
  ByteLevelBpe(
      PreTokenizer preTokenizer,
      Map<String, Integer> model,
      List<String> merges,
      List<AddedToken> added,
      boolean ignoreMerges,
      boolean composes,
      int[] prefix,
      int[] suffix) {
    this.preTokenizer = preTokenizer;
    this.vocabulary = new Vocabulary(model, added);
    this.added =
        new AddedTokens(
            added,
            composes ? text -> Normalizer.normalize(text, Normalizer.Form.NFC) : text -> text);
    this.merges = List.copyOf(merges);
    this.table = table(model, this.merges);
    this.whole = ignoreMerges ? new HashSet<>(model.keySet()) : Set.of();
    this.composes = composes;
    this.prefix = prefix.clone();
    this.suffix = suffix.clone();
    for (int b = 0; b < 256; b++) {
      byteIds[b] = model.getOrDefault(String.valueOf(ByteAlphabet.charOf(b)), -1);
    }
    this.tokenBytes = new byte[vocabulary.size()][];
    for (int id = 0; id < tokenBytes.length; id++) {
      tokenBytes[id] =
          vocabulary.has(id) ? ByteAlphabet.bytesOf(vocabulary.token(id)) : new byte[0];
    }
  }

  private static MergeTable table(Map<String, Integer> model, List<String> merges) {
    MergeTable table = new MergeTable(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      String merge = merges.get(rank);
      int space = merge.indexOf(' ');
      Integer left = space < 0 ? null : model.get(merge.substring(0, space));
      Integer right = space < 0 ? null : model.get(merge.substring(space + 1));
      Integer result =
          space < 0 ? null : model.get(merge.substring(0, space) + merge.substring(space + 1));
      if (left == null || right == null || result == null) {
        throw new IllegalArgumentException(
            "Merge " + rank + " is not of two tokens into a third: " + merge);
      }
      table.put(left, right, rank, result);
    }
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
            preTokenizer.cut(whole, from, to, (a, b) -> piece(whole, a, b, ids));
          }

          @Override
          public void token(int id) {
            ids.add(id);
          }
        });
    return ids.toArray();
  }

  private void piece(String text, int from, int to, IntBuilder ids) {
    int[] symbols = new int[3 * (to - from)];
    int count = 0;
    StringBuilder spelling = whole.isEmpty() ? null : new StringBuilder();
    for (int i = from; i < to; ) {
      int point = text.codePointAt(i);
      i += Character.charCount(point);
      int length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
      for (int k = length - 1; k >= 0; k--) {
        int b = utf8(point, length, k);
        if (spelling != null) {
          spelling.append(ByteAlphabet.charOf(b));
        }
        if (byteIds[b] >= 0) {
          symbols[count++] = byteIds[b];
        }
      }
    }
    if (spelling != null && whole.contains(spelling.toString())) {
      ids.add(vocabulary.idOr(spelling.toString(), -1));
      return;
    }
    ids.add(symbols, table.merge(symbols, count));
  }

  /** Byte {@code k} from the end of a character's UTF-8 of this length. */
  private static int utf8(int point, int length, int k) {
    if (length == 1) {
      return point;
    }
    int bits = (point >> (6 * k)) & 0x3F;
    if (k < length - 1) {
      return 0x80 | bits;
    }
    // 110xxxxx, 1110xxxx or 11110xxx.
    return ((0xF00 >> length) & 0xFF) | (point >> (6 * k));
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
        false);
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

  PreTokenizer preTokenizer() {
    return preTokenizer;
  }

  List<String> merges() {
    return merges;
  }

  List<AddedToken> added() {
    return added.all();
  }

  boolean composes() {
    return composes;
  }

  boolean ignoresMerges() {
    return !whole.isEmpty();
  }

  @Override
  public String toString() {
    return "Byte-level BPE, "
        + preTokenizer.ggufName()
        + ", "
        + vocabSize()
        + " tokens, "
        + merges.size()
        + " merges, prefix "
        + Arrays.toString(prefix);
  }
}
