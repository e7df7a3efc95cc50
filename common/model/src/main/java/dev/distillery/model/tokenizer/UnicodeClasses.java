package dev.distillery.model.tokenizer;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * The character classes of the pre-tokenizers' regular expressions, as the tokenizers library has
 * them. Java's own follow the Unicode version of the running JDK, and its {@code \s} is ASCII.
 */
final class UnicodeClasses {
  /** Neither letter nor number nor white space: punctuation, marks, emoji, controls. */
  static final int OTHER = 0;

  static final int LETTER = 1;
  static final int NUMBER = 2;
  static final int SPACE = 3;

  private static final int DIGIT = 4;
  private static final int CAPITAL = 8;
  private static final int SMALL = 16;
  private static final byte[] CLASSES = load();

  private UnicodeClasses() {}

  /** {@link #OTHER}, {@link #LETTER}, {@link #NUMBER} or {@link #SPACE}. */
  static int of(int codePoint) {
    return CLASSES[codePoint] & 3;
  }

  /** Whether the Digits pre-tokenizer cuts here; a few characters more than {@link #NUMBER}. */
  static boolean isDigit(int codePoint) {
    return (CLASSES[codePoint] & DIGIT) != 0;
  }

  /** {@code [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]}: letters but small ones, and marks. */
  static boolean isCapital(int codePoint) {
    return (CLASSES[codePoint] & CAPITAL) != 0;
  }

  /** {@code [\p{Ll}\p{Lm}\p{Lo}\p{M}]}: letters but capitals, and marks. */
  static boolean isSmall(int codePoint) {
    return (CLASSES[codePoint] & SMALL) != 0;
  }

  private static byte[] load() {
    byte[] classes = new byte[Character.MAX_CODE_POINT + 1];
    try (InputStream stream =
            Objects.requireNonNull(
                UnicodeClasses.class.getResourceAsStream("unicode-classes.txt"),
                "unicode-classes.txt");
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(stream, StandardCharsets.US_ASCII))) {
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        if (line.startsWith("#")) {
          continue;
        }
        String[] fields = line.split(" ", -1);
        int bits = bits(fields[0]);
        int from = Integer.parseInt(fields[1], 16);
        int to = Integer.parseInt(fields[fields.length - 1], 16);
        for (int i = from; i <= to; i++) {
          classes[i] |= (byte) bits;
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return classes;
  }

  private static int bits(String name) {
    return switch (name) {
      case "L" -> LETTER;
      case "N" -> NUMBER;
      case "S" -> SPACE;
      case "D" -> DIGIT;
      case "C" -> CAPITAL;
      case "M" -> SMALL;
      default -> throw new IllegalStateException("Unknown class " + name);
    };
  }
}
