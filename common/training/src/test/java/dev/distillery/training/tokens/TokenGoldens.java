package dev.distillery.training.tokens;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;

/** What src/test/golden/make_token_goldens.py wrote, and a plain setting to vary. */
final class TokenGoldens {
  static final Path FOLDER = Path.of("src/test/resources/golden/tokens");

  /** The id that is EOS, padding and the closing mark at once. */
  static final int END = 2;

  private TokenGoldens() {}

  static JsonNode read() {
    try {
      return new ObjectMapper().readTree(FOLDER.resolve("tokens.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Tokenizer tokenizer() {
    try {
      return Tokenizers.open(FOLDER.resolve("tokenizer.json"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static TokenSettings settings(TrainOn trainOn) {
    return new TokenSettings("chatml", trainOn, OverLength.CUT, 512, Packing.NONE, END);
  }

  static TokenSettings settings(OverLength overLength, int maxLength) {
    return new TokenSettings("chatml", TrainOn.ALL_TURNS, overLength, maxLength, Packing.NONE, END);
  }

  static RowEncoder dialogues(String template, TokenSettings settings) {
    return RowEncoder.ofDialogues(
        tokenizer(), ChatTemplate.named(template, "<|im_end|>"), settings);
  }

  static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
