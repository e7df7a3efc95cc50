package dev.distillery.model.tokenizer;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * llama2.c's tokenizer file: the longest token's length, then for each token a score, its length
 * and its bytes. Ids 0 to 2 are unknown, BOS and EOS, the next 256 are bytes.
 */
final class Llama2cTokenizer {
  private static final long MAX_BYTES = 64L << 20;
  private static final int FIRST_BYTE = 3;

  private Llama2cTokenizer() {}

  static Tokenizer read(Path file) throws IOException {
    long size = Files.size(file);
    if (size > MAX_BYTES) {
      throw new ModelFileException(file, "it has " + size + " bytes, more than " + MAX_BYTES);
    }
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    if (bytes.remaining() < 4) {
      throw new ModelFileException(file, "it is not a llama2.c tokenizer");
    }
    bytes.getInt();
    Map<String, Integer> vocabulary = new HashMap<>();
    float[] scores = new float[bytes.remaining() / 8];
    BitSet normal = new BitSet();
    int count = 0;
    while (bytes.hasRemaining()) {
      if (bytes.remaining() < 8) {
        throw new ModelFileException(file, "it ends inside token " + count);
      }
      scores[count] = bytes.getFloat();
      int length = bytes.getInt();
      if (length < 0 || length > bytes.remaining()) {
        throw new ModelFileException(file, "token " + count + " has length " + length);
      }
      byte[] spelling = new byte[length];
      bytes.get(spelling);
      String token =
          new String(spelling, StandardCharsets.UTF_8).replace(' ', SentencePieceBpe.SPACE);
      boolean mark = count < FIRST_BYTE;
      boolean single = count >= FIRST_BYTE && count < FIRST_BYTE + 256;
      String name = mark ? List.of("<unk>", "<s>", "</s>").get(count) : token;
      if (single) {
        name = String.format(Locale.ROOT, "<0x%02X>", count - FIRST_BYTE);
      }
      if (vocabulary.putIfAbsent(name, count) != null) {
        throw new ModelFileException(file, "token " + count + " is there twice: " + name);
      }
      normal.set(count, !mark && !single);
      count++;
    }
    if (count < FIRST_BYTE + 256) {
      throw new ModelFileException(file, "it has " + count + " tokens, not all 256 bytes");
    }
    float[] exact = Arrays.copyOf(scores, count);
    return new SentencePieceBpe(
        vocabulary,
        SentencePieceBpe.byScores(vocabulary, exact, normal),
        Optional.of(exact),
        List.of(AddedToken.special(1, "<s>"), AddedToken.special(2, "</s>")),
        0,
        SentencePieceBpe.Prefix.EVERY_PART,
        new int[] {1},
        new int[0]);
  }
}
