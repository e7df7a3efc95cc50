package dev.distillery.datasets.mix;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A place for a key, drawn evenly and always the same: the first 63 bits of the SHA-256 of {@code
 * purpose:seed:key} in UTF-8. Nothing of partitions, order or clocks is in it.
 */
public final class HashDraw {
  private HashDraw() {}

  /**
   * The place, from 0 to {@link Long#MAX_VALUE}.
   *
   * @param purpose of the draw, so that two draws over the same keys have nothing in common
   */
  public static long place(String purpose, long seed, String key) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256")
              .digest((purpose + ":" + seed + ":" + key).getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(digest).getLong() >>> 1;
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }
}
