package dev.distillery.model.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.model.constrain.JsonConstraint.State;
import dev.distillery.model.tokenizer.TokenDecoder;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Over the tokenizers of golden/tokenizer: byte-level BPE, and SentencePiece's with its bytes. */
class TokenMaskTest {
  private static final int LENGTH = 120;

  private static Tokenizer tokenizer(String name) throws Exception {
    try {
      return Tokenizers.open(
          Path.of(
              Objects.requireNonNull(TokenMaskTest.class.getResource("/golden/tokenizer/" + name))
                  .toURI()));
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Every token by itself, byte by byte, is the reference. Of a vocabulary that lacks bytes only
   * whole characters count.
   */
  private static BitSet plainly(Tokenizer tokenizer, State state, int end) {
    TokenDecoder decoder = tokenizer.decoder(true);
    var allowed = new BitSet();
    var single = new BitSet();
    for (int id = 0; id < tokenizer.vocabSize(); id++) {
      if (tokenizer.has(id) && decoder.bytes(id).length == 1) {
        single.set(decoder.bytes(id)[0] & 0xFF);
      }
    }
    boolean cut = single.nextClearBit(0x80) >= 0xC0;
    for (int id = 0; id < tokenizer.vocabSize(); id++) {
      byte[] bytes = tokenizer.has(id) ? decoder.bytes(id) : new byte[0];
      boolean whole = !new String(bytes, StandardCharsets.UTF_8).contains("\ufffd");
      if (bytes.length > 0 && !tokenizer.isSpecial(id) && id != end && (cut || whole)) {
        State next = state;
        for (byte b : bytes) {
          next = next.next(b & 0xFF);
        }
        allowed.set(id, Walks.lives(next));
      }
    }
    return allowed;
  }

  /** Random logits stand for a model that knows nothing of JSON. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "gpt2.json",
        "qwen2.json",
        "llama3.json",
        "llama.json",
        "llama-metaspace.json",
        "llama2c.bin"
      })
  void whateverIsDrawnParsesAndFits(String name) throws Exception {
    Tokenizer tokenizer = tokenizer(name);
    int end = tokenizer.vocabSize() - 1;
    var mask = new TokenMask(tokenizer, id -> id != end);
    int whole = 0;
    for (int seed = 0; seed < 60; seed++) {
      var random = new SplittableRandom(seed);
      ObjectNode schema = new RandomSchemas(random, seed % 2 == 0).next();
      JsonConstraint constraint;
      try {
        constraint = mask.known(JsonConstraintTest.constraint(schema));
      } catch (SchemaException e) {
        continue;
      }
      var text = new ConstrainedText(constraint, mask);
      State state = constraint.begin();
      List<Integer> ids = new ArrayList<>();
      boolean ended = false;
      while (!ended && !text.isOver() && ids.size() < LENGTH) {
        if (ids.size() % 7 == 0) {
          assertThat(mask.allowed(state)).isEqualTo(plainly(tokenizer, state, end));
        }
        float[] logits = new float[tokenizer.vocabSize() + 3];
        for (int i = 0; i < logits.length; i++) {
          logits[i] = (float) random.nextDouble();
        }
        text.mask(logits, List.of(end));
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
          best = logits[i] > logits[best] ? i : best;
        }
        assertThat(logits[best]).as("%s after %s", schema, ids).isFinite();
        ended = best == end;
        if (ended) {
          assertThat(state.isComplete()).isTrue();
        } else {
          ids.add(best);
          text.append(best);
          state = mask.next(state, best);
          assertThat(Walks.lives(state)).isTrue();
        }
      }
      if (ended || text.isOver()) {
        whole++;
        String written = tokenizer.decode(ids.stream().mapToInt(i -> i).toArray(), true);
        assertThat(written).doesNotContain("\ufffd");
        JsonNode value = JsonConstraintTest.JSON.readTree(written);
        assertThat(JsonConstraintTest.reference(schema).validate(value))
            .as("%s of %s", written, schema)
            .isEmpty();
      }
    }
    assertThat(whole).isGreaterThan(20);
  }

  /** A string's length decides how much of a token may still come. */
  @Test
  void lengthsBoundTokens() throws Exception {
    Tokenizer tokenizer = tokenizer("qwen2.json");
    var mask = new TokenMask(tokenizer, id -> true);
    for (int most = 0; most < 12; most++) {
      JsonConstraint constraint =
          JsonConstraintTest.constraint(
              "{\"type\":\"string\",\"minLength\":" + most / 2 + ",\"maxLength\":" + most + "}");
      for (String begun : List.of("\"", "\"a", "\"é", "\"\\u00e9", "\"\\", "\"\\ud83d")) {
        State state = JsonConstraintTest.read(constraint, begun.getBytes(StandardCharsets.UTF_8));
        assertThat(mask.allowed(state))
            .as("%s of %d", begun, most)
            .isEqualTo(plainly(tokenizer, state, -1));
      }
    }
  }

  @Test
  void theSameFormatIsKnownAgain() throws Exception {
    var mask = new TokenMask(tokenizer("gpt2.json"), id -> true);
    JsonConstraint one = mask.known(JsonConstraintTest.constraint("{\"type\":\"null\"}"));
    assertThat(mask.known(JsonConstraintTest.constraint("{\"type\":\"null\"}"))).isSameAs(one);
  }

  @Test
  void aVocabularyThatLacksWhatIsNeededIsToldSo() throws Exception {
    Tokenizer tokenizer = tokenizer("gpt2.json");
    int brace = tokenizer.id("{").orElseThrow();
    var mask = new TokenMask(tokenizer, id -> id != brace);
    assertThatThrownBy(() -> mask.known(JsonConstraintTest.constraint("{\"type\":\"object\"}")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("needs byte 0x7b as a token of its own");
    // Without its continuations no character is begun, and a name cannot have one.
    int rest = tokenizer.id("©").orElseThrow();
    var cut = new TokenMask(tokenizer, id -> id != rest);
    JsonConstraint text = cut.known(JsonConstraintTest.constraint("{\"type\":\"string\"}"));
    BitSet allowed = cut.allowed(JsonConstraintTest.read(text, new byte[] {'"'}));
    assertThat(allowed.get(tokenizer.id("Ã").orElseThrow())).isFalse();
    assertThat(allowed.get(tokenizer.id("a").orElseThrow())).isTrue();
    assertThatThrownBy(() -> cut.known(JsonConstraintTest.constraint("{\"const\":\"é\"}")))
        .hasMessageContaining("0xa9");
  }
}
