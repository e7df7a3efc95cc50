package dev.distillery.model.tokenizer;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * Turns ids into text one at a time. A character whose bytes are spread over tokens appears whole
 * with the last of them, so that what was shown is never taken back. Not safe for concurrent use.
 */
public final class TokenDecoder {
  private final IntFunction<byte[]> bytesOf;
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPLACE)
          .onUnmappableCharacter(CodingErrorAction.REPLACE);
  private ByteBuffer pending = ByteBuffer.allocate(64);
  private boolean stripSpace;

  /**
   * A decoder.
   *
   * @param bytesOf a token's bytes; none for one that is not shown
   * @param stripSpace whether one space at the very beginning is dropped
   */
  TokenDecoder(IntFunction<byte[]> bytesOf, boolean stripSpace) {
    this.bytesOf = bytesOf;
    this.stripSpace = stripSpace;
  }

  /** The text that is now certain; often the token's own, sometimes empty. */
  public String append(int id) {
    byte[] bytes = bytesOf.apply(id);
    if (bytes.length == 0) {
      return "";
    }
    if (stripSpace) {
      stripSpace = false;
      if (bytes[0] == ' ') {
        bytes = Arrays.copyOfRange(bytes, 1, bytes.length);
      }
    }
    if (bytes.length > pending.remaining()) {
      pending = ByteBuffer.allocate(pending.position() + bytes.length).put(pending.flip());
    }
    pending.put(bytes);
    return drain(false);
  }

  /** A token's own bytes, whatever came before; none for one that is not shown. */
  public byte[] bytes(int id) {
    return bytesOf.apply(id).clone();
  }

  /** What is left when no more ids come: U+FFFD for a character that was cut off. */
  public String finish() {
    return drain(true);
  }

  private String drain(boolean end) {
    pending.flip();
    CharBuffer text = CharBuffer.allocate(pending.remaining() + 1);
    utf8.decode(pending, text, end);
    pending.compact();
    if (end) {
      utf8.flush(text);
      utf8.reset();
    }
    return text.flip().toString();
  }
}
