package dev.distillery.model.tokenizer;

import static dev.distillery.model.tokenizer.UnicodeClasses.LETTER;
import static dev.distillery.model.tokenizer.UnicodeClasses.NUMBER;
import static dev.distillery.model.tokenizer.UnicodeClasses.OTHER;
import static dev.distillery.model.tokenizer.UnicodeClasses.SPACE;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How byte-level BPE cuts a text into pieces before it merges inside them. Each scans in one pass
 * what its regular expression would match.
 */
public enum PreTokenizer {
  /** {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}. */
  GPT2("gpt-2"),
  /** Every digit a piece of its own; GPT-2's expression on what stands between. */
  SMOLLM("smollm"),
  /** {@link #LLAMA3_PATTERN}. */
  LLAMA3("llama-bpe"),
  /** {@link #QWEN2_PATTERN}: LLaMA-3's, with every digit a piece of its own. */
  QWEN2("qwen2"),
  /** {@link #TEKKEN_PATTERN}: words end where capitals follow small letters. */
  TEKKEN("tekken");

  /** The expression that LLaMA-3's tokenizer.json has. */
  static final String LLAMA3_PATTERN =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /** The expression that Qwen's tokenizer.json has. */
  static final String QWEN2_PATTERN = LLAMA3_PATTERN.replace("{1,3}", "");

  private static final String CAPITALS = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
  private static final String SMALL = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

  /** The expression of Mistral's Tekken, in tekken.json and in tokenizer.json. */
  static final String TEKKEN_PATTERN =
      ("[^\\r\\n\\p{L}\\p{N}]?" + CAPITALS + "*" + SMALL + "+")
          + ("|[^\\r\\n\\p{L}\\p{N}]?" + CAPITALS + "+" + SMALL + "*")
          + "|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  /** Takes a piece of the text, from {@code from} to before {@code to}. */
  interface Pieces {
    void piece(int from, int to);
  }

  /**
   * Further values that llama.cpp takes for the same pattern, of older files and of models that
   * share it.
   */
  private static final Map<PreTokenizer, List<String>> OTHER_NAMES =
      Map.of(
          GPT2,
          List.of(
              "phi-2",
              "mpt",
              "olmo",
              "jais",
              "gigachat",
              "a.x-4.0",
              "mellum",
              "exaone4",
              "trillion",
              "granite-docling"),
          SMOLLM,
          List.of("starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"),
          LLAMA3,
          List.of(
              "llama3",
              "llama-v3",
              "falcon3",
              "falcon-h1",
              "pixtral",
              "midm-2.0",
              "lfm2",
              "smaug-bpe",
              "dbrx"),
          QWEN2,
          List.of("deepseek-r1-qwen", "megrez", "kormo", "stablelm2", "hunyuan"));

  /** Of these llama.cpp merges words that are tokens too, and puts no BOS before a text. */
  private static final Set<String> LLAMA3_MERGING = Set.of("smaug-bpe", "dbrx");

  private final String ggufName;

  PreTokenizer(String ggufName) {
    this.ggufName = ggufName;
  }

  /** The value of {@code tokenizer.ggml.pre}. */
  String ggufName() {
    return ggufName;
  }

  static Optional<PreTokenizer> ofGguf(String name) {
    return Arrays.stream(values())
        .filter(p -> p.ggufName.equals(name) || otherNames(p).contains(name))
        .findFirst();
  }

  private static List<String> otherNames(PreTokenizer pattern) {
    return OTHER_NAMES.getOrDefault(pattern, List.of());
  }

  /**
   * Whether llama.cpp takes a word that is a token as it is under this name, and puts BOS before a
   * text where no key says else.
   */
  static boolean takesWholeWords(String name) {
    boolean whole = ofGguf(name).filter(p -> p == LLAMA3 || p == TEKKEN).isPresent();
    return whole && !LLAMA3_MERGING.contains(name);
  }

  /**
   * The value of {@code tokenizer.ggml.pre} for a tokenizer of this pattern.
   *
   * @param ignoresMerges whether a word that is a token is taken as it is
   * @param composes whether text is put into Unicode's composed form first
   * @throws IllegalArgumentException where no value implies it, and GGUF has no key for it
   */
  String ggufName(boolean ignoresMerges, boolean composes) {
    if (composes && this != QWEN2) {
      throw new IllegalArgumentException(
          "GGUF has no key for NFC, which the tokenizer's pattern %s does not imply"
              .formatted(ggufName));
    }
    if (ignoresMerges ? this != LLAMA3 && this != TEKKEN : this == TEKKEN) {
      throw new IllegalArgumentException(
          "GGUF has no key for ignore_merges, whose value %s the tokenizer's pattern %s does not imply"
              .formatted(ignoresMerges, ggufName));
    }
    return switch (this) {
      case GPT2, SMOLLM, TEKKEN -> ggufName;
      case LLAMA3 -> ignoresMerges ? ggufName : "smaug-bpe";
      case QWEN2 -> composes ? ggufName : "deepseek-r1-qwen";
    };
  }

  /** The values of {@code tokenizer.ggml.pre} that are read. */
  static String ggufNames() {
    return Arrays.stream(values())
        .flatMap(p -> Stream.concat(Stream.of(p.ggufName), otherNames(p).stream()))
        .collect(Collectors.joining(", "));
  }

  /** The expression that cuts a text before its bytes are merged; empty for GPT-2 and SmolLM. */
  Optional<String> pattern() {
    return switch (this) {
      case GPT2, SMOLLM -> Optional.empty();
      case LLAMA3 -> Optional.of(LLAMA3_PATTERN);
      case QWEN2 -> Optional.of(QWEN2_PATTERN);
      case TEKKEN -> Optional.of(TEKKEN_PATTERN);
    };
  }

  static Optional<PreTokenizer> ofPattern(String pattern) {
    return Arrays.stream(values())
        .filter(p -> p.pattern().filter(pattern::equals).isPresent())
        .findFirst();
  }

  /** Cuts all of the text into pieces, in order. */
  void cut(CharSequence text, int from, int to, Pieces pieces) {
    switch (this) {
      case GPT2 -> gpt2(text, from, to, pieces);
      case SMOLLM -> {
        int start = from;
        for (int i = from; i < to; ) {
          int point = Character.codePointAt(text, i);
          int end = i + Character.charCount(point);
          if (UnicodeClasses.isDigit(point)) {
            gpt2(text, start, i, pieces);
            gpt2(text, i, end, pieces);
            start = end;
          }
          i = end;
        }
        gpt2(text, start, to, pieces);
      }
      case LLAMA3 -> llama3(text, from, to, 3, pieces);
      case QWEN2 -> llama3(text, from, to, 1, pieces);
      case TEKKEN -> tekken(text, from, to, pieces);
    }
  }

  private static void gpt2(CharSequence text, int from, int to, Pieces pieces) {
    for (int i = from; i < to; ) {
      int end = i + contraction(text, i, to, false);
      if (end == i) {
        int start = text.charAt(i) == ' ' && i + 1 < to ? i + 1 : i;
        int kind = kind(text, start);
        // The optional space stands before anything but white space.
        end = kind == SPACE ? spaces(text, i, to) : run(text, start, to, kind);
      }
      pieces.piece(i, end);
      i = end;
    }
  }

  private static void llama3(CharSequence text, int from, int to, int digits, Pieces pieces) {
    for (int i = from; i < to; ) {
      int end = i + contraction(text, i, to, true);
      if (end == i) {
        end = llama3Piece(text, i, to, digits);
      }
      pieces.piece(i, end);
      i = end;
    }
  }

  private static int llama3Piece(CharSequence text, int i, int to, int digits) {
    char first = text.charAt(i);
    int kind = kind(text, i);
    int next = i + Character.charCount(Character.codePointAt(text, i));
    int nextKind = next < to ? kind(text, next) : SPACE;
    if (kind == LETTER) {
      return run(text, i, to, LETTER);
    }
    if (kind != NUMBER && nextKind == LETTER && !newline(first)) {
      return run(text, next, to, LETTER);
    }
    return wordless(text, i, to, digits, false);
  }

  private static void tekken(CharSequence text, int from, int to, Pieces pieces) {
    for (int i = from; i < to; ) {
      int end = tekkenPiece(text, i, to);
      pieces.piece(i, end);
      i = end;
    }
  }

  /** Alternatives in the expression's order, each first with a character before the letters. */
  private static int tekkenPiece(CharSequence text, int i, int to) {
    int kind = kind(text, i);
    int next = i + Character.charCount(Character.codePointAt(text, i));
    boolean before = kind != LETTER && kind != NUMBER && !newline(text.charAt(i)) && next < to;
    int end = before ? smallEnd(text, next, to) : -1;
    if (end < 0) {
      end = smallEnd(text, i, to);
    }
    if (end < 0 && before) {
      end = capitals(text, next, to) > next ? capitals(text, next, to) : -1;
    }
    if (end < 0) {
      end = capitals(text, i, to) > i ? capitals(text, i, to) : -1;
    }
    return end < 0 ? wordless(text, i, to, 1, true) : end;
  }

  /**
   * Where {@code C*M+} ends, for capitals C and small letters M, which share some; -1 if nowhere.
   */
  private static int smallEnd(CharSequence text, int from, int to) {
    int end = capitals(text, from, to);
    int last = end;
    while (end < to && UnicodeClasses.isSmall(Character.codePointAt(text, end))) {
      end += Character.charCount(Character.codePointAt(text, end));
    }
    if (end > last) {
      return end;
    }
    // Capitals are given back up to one that is a small letter too.
    while (last > from && !UnicodeClasses.isSmall(Character.codePointBefore(text, last))) {
      last -= Character.charCount(Character.codePointBefore(text, last));
    }
    return last > from ? last : -1;
  }

  private static int capitals(CharSequence text, int from, int to) {
    int end = from;
    while (end < to && UnicodeClasses.isCapital(Character.codePointAt(text, end))) {
      end += Character.charCount(Character.codePointAt(text, end));
    }
    return end;
  }

  /**
   * A piece that begins with no letter.
   *
   * @param slash whether slashes go on after a run of other characters, as line breaks do
   */
  private static int wordless(CharSequence text, int i, int to, int digits, boolean slash) {
    int kind = kind(text, i);
    int next = i + Character.charCount(Character.codePointAt(text, i));
    if (kind == NUMBER) {
      int end = next;
      for (int n = 1; n < digits && end < to && kind(text, end) == NUMBER; n++) {
        end += Character.charCount(Character.codePointAt(text, end));
      }
      return end;
    }
    boolean spaced = text.charAt(i) == ' ' && next < to && kind(text, next) == OTHER;
    if (kind == OTHER || spaced) {
      int end = run(text, spaced ? next : i, to, OTHER);
      while (end < to && (newline(text.charAt(end)) || (slash && text.charAt(end) == '/'))) {
        end++;
      }
      return end;
    }
    int end = run(text, i, to, SPACE);
    for (int last = end; last > i; last--) {
      if (newline(text.charAt(last - 1))) {
        return last;
      }
    }
    return spaces(text, i, to);
  }

  private static boolean newline(char c) {
    return c == '\r' || c == '\n';
  }

  /** A run of white space without its last character where a visible one follows. */
  private static int spaces(CharSequence text, int from, int to) {
    int end = run(text, from, to, SPACE);
    return end < to && end - from > 1 ? end - 1 : end;
  }

  private static int run(CharSequence text, int from, int to, int kind) {
    int end = from;
    while (end < to && kind(text, end) == kind) {
      end += Character.charCount(Character.codePointAt(text, end));
    }
    return end;
  }

  private static int kind(CharSequence text, int at) {
    char c = text.charAt(at);
    return UnicodeClasses.of(Character.isHighSurrogate(c) ? Character.codePointAt(text, at) : c);
  }

  /** The length of 's, 't, 're, 've, 'm, 'll or 'd at this place; 0 if there is none. */
  private static int contraction(CharSequence text, int at, int to, boolean anyCase) {
    if (text.charAt(at) != '\'' || at + 1 >= to) {
      return 0;
    }
    char first = fold(text.charAt(at + 1), anyCase);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') {
      return 2;
    }
    char second = at + 2 < to ? fold(text.charAt(at + 2), anyCase) : 0;
    boolean two =
        (second == 'e' && (first == 'r' || first == 'v')) || (second == 'l' && first == 'l');
    return two ? 3 : 0;
  }

  /** Simple case folding, as the expression's (?i:) has it: the long s is an s. */
  private static char fold(char c, boolean anyCase) {
    if (!anyCase) {
      return c;
    }
    if (c == '\u017F') {
      return 's';
    }
    return c >= 'A' && c <= 'Z' ? (char) (c + 32) : c;
  }
}
