package dev.distillery.model.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * GPT-2's spelling of bytes as printable characters: what prints in Latin-1 stands for itself, the
 * others are U+0100 on, in order. A space is U+0120.
 */
final class ByteAlphabet {
  private static final char[] CHARS = new char[256];
  private static final int[] BYTES = new int[0x200];

  static {
    Arrays.fill(BYTES, -1);
    char next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean prints = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      CHARS[b] = prints ? (char) b : next++;
      BYTES[CHARS[b]] = b;
    }
  }

  private ByteAlphabet() {}

  /** The character that stands for a byte, 0 to 255. */
  static char charOf(int unsignedByte) {
    return CHARS[unsignedByte];
  }

  /** The bytes that a token's spelling stands for; its UTF-8 where it is not in this alphabet. */
  static byte[] bytesOf(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = token.charAt(i);
      if (c >= BYTES.length || BYTES[c] < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) BYTES[c];
    }
    return bytes;
  }
}
