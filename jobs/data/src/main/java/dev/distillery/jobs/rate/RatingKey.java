package dev.distillery.jobs.rate;

import dev.distillery.spark.warehouse.Warehouse;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.apache.hadoop.fs.Path;

/**
 * The secret that decides what raters must not guess: the names of items, and which answer stands
 * where. A warehouse has one, in {@code _keys/rate}, made when it is first needed; with it the same
 * rows and seed give the same page. It stands on no page and in no record.
 */
final class RatingKey {
  private static final int BYTES = 32;
  private final SecretKeySpec key;

  RatingKey(byte[] secret) {
    key = new SecretKeySpec(secret, "HmacSHA256");
  }

  /** The warehouse's. */
  static RatingKey of(Warehouse warehouse) {
    Path path = new Path(new Path(warehouse.root(), "_keys"), "rate");
    String hex =
        warehouse
            .readText(path)
            .orElseGet(
                () -> {
                  byte[] secret = new byte[BYTES];
                  new SecureRandom().nextBytes(secret);
                  String made = HexFormat.of().formatHex(secret);
                  // Another run may have been first.
                  return warehouse.createText(path, made)
                      ? made
                      : warehouse.readText(path).orElseThrow();
                });
    return new RatingKey(HexFormat.of().parseHex(hex.strip()));
  }

  /** 24 hexadecimal digits that tell nothing of the parts, each taken with its length. */
  String name(String... parts) {
    return HexFormat.of().formatHex(mac(parts), 0, 12);
  }

  /** A key of drawn numbers. */
  long seed(String... parts) {
    return ByteBuffer.wrap(mac(parts)).getLong();
  }

  private byte[] mac(String... parts) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(key);
      for (String part : parts) {
        byte[] utf8 = part.getBytes(StandardCharsets.UTF_8);
        mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(utf8.length).array());
        mac.update(utf8);
      }
      return mac.doFinal();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HmacSHA256 is part of every Java platform", e);
    }
  }
}
