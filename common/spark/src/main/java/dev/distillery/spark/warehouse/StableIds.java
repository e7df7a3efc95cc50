package dev.distillery.spark.warehouse;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * Ids of rows: the same content and source give the same id in every run, on any number of
 * partitions.
 */
public final class StableIds {
  private StableIds() {}

  /** A seed of the run's and of what is drawn; of 28 bits, which every server takes. */
  public static long seed(long randomSeed, String... parts) {
    String[] all = new String[parts.length + 1];
    all[0] = "" + randomSeed;
    System.arraycopy(parts, 0, all, 1, parts.length);
    return Long.parseLong(of(all).substring(0, 7), 16);
  }

  /**
   * 32 hexadecimal digits: the head of a SHA-256 over every part in UTF-8, each with its length
   * before it.
   */
  public static String of(String... parts) {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
    for (String part : parts) {
      byte[] utf8 = part.getBytes(StandardCharsets.UTF_8);
      digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(utf8.length).array());
      digest.update(utf8);
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 16);
  }
}
