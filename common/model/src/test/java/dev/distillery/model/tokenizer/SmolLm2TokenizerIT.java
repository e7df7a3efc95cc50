package dev.distillery.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The published SmolLM2's tokenizer, out of its GGUF file, against Hugging Face's. */
class SmolLm2TokenizerIT {
  private static final String CASES = "published-smollm2-cases.json";

  private static Tokenizer tokenizer;

  @BeforeAll
  static void open() throws IOException {
    Optional<Path> model = FetchedModel.path();
    assumeTrue(model.isPresent(), "submit/fetch-model cannot bring the model here");
    tokenizer = Tokenizers.open(model.orElseThrow());
  }

  @Test
  void givesTheIdsOfHuggingFaceOnNastyText() throws IOException {
    TokenizerGoldenTest.assertGolden(tokenizer, CASES);
  }

  /** The text and the hash are those of golden/make_smollm2_goldens.py. */
  @Test
  void givesTheIdsOfHuggingFaceOnTenMegabytesOfIt() throws IOException, NoSuchAlgorithmException {
    JsonNode expected = TokenizerGoldenTest.json(TokenizerGoldenTest.path("../smollm2/text.json"));
    String text = longText(expected.get("bytes").intValue());

    int[] ids = tokenizer.encode(text);

    assertThat(ids).hasSize(expected.get("tokens").intValue());
    ByteBuffer bytes = ByteBuffer.allocate(4 * ids.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asIntBuffer().put(ids);
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes.array());
    assertThat(HexFormat.of().formatHex(digest)).isEqualTo(expected.get("sha256").textValue());
  }

  /** The nasty texts in the order of a linear congruential generator, up to so many bytes. */
  private static String longText(int bytes) throws IOException {
    List<String> pieces = new ArrayList<>();
    for (JsonNode row : TokenizerGoldenTest.json(TokenizerGoldenTest.path(CASES))) {
      pieces.add(row.get("text").textValue());
    }
    StringBuilder text = new StringBuilder();
    long state = 1;
    for (int size = 0; size < bytes; ) {
      state = (state * 1103515245 + 12345) % (1L << 31);
      String piece = pieces.get((int) ((state >> 16) % pieces.size()));
      text.append(piece);
      size += piece.getBytes(StandardCharsets.UTF_8).length;
    }
    return text.toString();
  }
}
