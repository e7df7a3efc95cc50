package dev.distillery.model.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.PortableKernels;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DecodingBatchTest {
  private final ModelConfig config = Golden.config("llama-gqa31-tied");
  private final Kernels kernels = new PortableKernels();
  private final Parameters parameters =
      Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> false);
  private final Decoder decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
  private final Generator generator = new Generator(decoder, Arrays::toString);

  DecodingBatchTest() {
    Golden.read("llama-gqa31-tied").load("w/", parameters);
  }

  @AfterEach
  void close() {
    generator.close();
    decoder.close();
    parameters.close();
    kernels.close();
  }

  private static Generator.Prompt prompt(int row) {
    int[] tokens = new int[4 + row];
    Arrays.setAll(tokens, j -> 3 + (j * 7 + row) % 60);
    return new Generator.Prompt(row, tokens);
  }

  private static GenerationOptions options(int row) {
    return new GenerationOptions(
        6 + row, row % 2 == 0 ? 0 : 0.9, 0, 0.95, 1.1, 0.2, 0.3, List.of(2), List.of(), 7);
  }

  private void add(DecodingBatch batch, int row, Map<Integer, Generator.Reply> replies) {
    batch.add(
        prompt(row),
        options(row),
        Arrays::toString,
        (r, token) -> {},
        reply -> replies.put(row, reply));
  }

  /** The reference is one row after the other in the plain generator. */
  @Test
  void rowsOfOtherOptionsComeAndGoWithoutChangingEachOther() {
    Map<Integer, Generator.Reply> replies = new HashMap<>();
    try (DecodingBatch batch = generator.batch(3, 40)) {
      int next = 0;
      while (next < 7 || !batch.isEmpty()) {
        // A row joins every other step.
        if (next < 7 && batch.hasRoom()) {
          add(batch, next++, replies);
        }
        batch.step();
        batch.step();
      }
    }
    for (int row = 0; row < 7; row++) {
      Generator.Reply alone =
          generator.generate(List.of(prompt(row)), options(row), 1, (r, token) -> {}).get(0);
      assertThat(replies.get(row)).usingRecursiveComparison().isEqualTo(alone);
      assertThat(alone.written())
          .isEqualTo(
              alone.finish() == Generator.Finish.STOP
                  ? alone.tokens().length + 1
                  : alone.tokens().length);
    }
  }

  @Test
  void aReplyEndsWhereTheCapacityDoes() {
    Map<Integer, Generator.Reply> replies = new HashMap<>();
    try (DecodingBatch batch = generator.batch(1, 6)) {
      add(batch, 0, replies);
      assertThat(batch.hasRoom()).isFalse();
      assertThatThrownBy(() -> add(batch, 1, replies))
          .hasMessage("No room for a prompt of 5 tokens in a batch of 1 rows of 6 tokens");
      batch.step();
      assertThat(batch.isEmpty()).isFalse();
      batch.step();
      assertThat(batch.isEmpty()).isTrue();
      assertThatThrownBy(() -> add(batch, 2, replies)).hasMessageContaining("6 tokens in a batch");
    }
    assertThat(replies.get(0).tokens()).hasSize(2);
    assertThat(replies.get(0).finish()).isEqualTo(Generator.Finish.LENGTH);
  }

  /** A stop is looked at between two layers, not only between two tokens. */
  @Test
  void aStepEndsWhereItsThreadIsInterrupted() {
    Map<Integer, Generator.Reply> replies = new HashMap<>();
    try (DecodingBatch batch = generator.batch(2, 40)) {
      add(batch, 0, replies);
      batch.step();
      Thread.currentThread().interrupt();
      assertThatThrownBy(batch::step).hasMessage("Told to end before layer 0");
      add(batch, 1, replies);
      assertThatThrownBy(batch::step).hasMessage("Told to end before layer 0");
    } finally {
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(replies).isEmpty();
  }
}
