package dev.distillery.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.sample.ContinuationScorer;
import dev.distillery.model.sample.DecodingBatch;
import dev.distillery.model.sample.GenerationOptions;
import dev.distillery.model.sample.Generator;
import dev.distillery.model.sample.Student;
import dev.distillery.model.sample.WrittenToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A reply's bits are its own, whatever of its prompt was computed before and beside what. */
class CpuDecodingTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  @TempDir Path temp;
  private Student student;
  private Generator generator;

  @BeforeEach
  void open() throws IOException {
    for (String name : List.of("model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(MODEL.resolve(name), temp.resolve(name));
    }
    String config = Files.readString(MODEL.resolve("config.json"));
    Files.writeString(
        temp.resolve("config.json"),
        config.replace("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 1024"));
    student = Student.open(temp, 2);
    generator = new Generator(student.decoder(), Arrays::toString);
  }

  @AfterEach
  void close() throws IOException {
    generator.close();
    student.close();
  }

  /** Two stems, each with several ends; some are beginnings of others. */
  private static List<int[]> prompts() {
    List<int[]> prompts = new ArrayList<>();
    for (int length : new int[] {700, 130, 129, 128, 64, 65, 5, 700, 333, 130}) {
      int[] prompt = new int[length];
      int stem = prompts.size() % 3 == 2 ? 11 : 7;
      Arrays.setAll(prompt, j -> 3 + (j * stem + j / 90) % 290);
      prompt[length - 1] = 3 + prompts.size();
      prompts.add(prompt);
    }
    return prompts;
  }

  private static GenerationOptions options(int row) {
    return new GenerationOptions(
        4 + row,
        row % 2 == 0 ? 0 : 1,
        0,
        1,
        1,
        0,
        0,
        List.of(2),
        List.of(),
        7,
        3,
        List.of(),
        Optional.empty());
  }

  private record Said(Generator.Reply reply, List<WrittenToken> prompt) {}

  private static final class Hearing implements Generator.Listener {
    private final List<WrittenToken> prompt = new ArrayList<>();
    private final boolean hears;

    Hearing(boolean hears) {
      this.hears = hears;
    }

    @Override
    public void onToken(long row, int token) {}

    @Override
    public boolean hearsPrompt() {
      return hears;
    }

    @Override
    public void onPrompt(WrittenToken told) {
      prompt.add(told);
    }
  }

  private static void add(DecodingBatch batch, int row, Said[] said, boolean hears) {
    var hearing = new Hearing(hears);
    batch.add(
        new Generator.Prompt(row, prompts().get(row)),
        options(row),
        Arrays::toString,
        hearing,
        reply -> said[row] = new Said(reply, hearing.prompt));
  }

  private Said alone(int row, boolean hears) {
    var said = new Said[row + 1];
    try (DecodingBatch batch = generator.batch(1, 1024)) {
      add(batch, row, said, hears);
      while (!batch.isEmpty()) {
        batch.step();
      }
    }
    return said[row];
  }

  @Test
  void sharedBeginningsAndPiecesGiveTheBitsOfARowAlone() {
    int count = prompts().size();
    var alone = new Said[count];
    Arrays.setAll(alone, row -> alone(row, row % 4 == 3));
    for (int step : new int[] {100, 1 << 20}) {
      var said = new Said[count];
      try (DecodingBatch batch = generator.batch(3, 1024)) {
        int next = 0;
        while (next < count || !batch.isEmpty()) {
          while (next < count && batch.hasRoom()) {
            add(batch, next, said, next % 4 == 3);
            next++;
          }
          batch.step(step);
        }
      }
      for (int row = 0; row < count; row++) {
        assertThat(said[row])
            .as("row %d by %d", row, step)
            .usingRecursiveComparison()
            .isEqualTo(alone[row]);
      }
    }
  }

  /** A long prompt takes turns with a short one that came later, and with replies. */
  @Test
  void aLongPromptHoldsUpNobody() {
    var said = new Said[10];
    try (DecodingBatch batch = generator.batch(3, 1024)) {
      add(batch, 0, said, false);
      add(batch, 6, said, false);
      int steps = 0;
      while (said[6] == null) {
        batch.step(64);
        steps++;
      }
      // 64 tokens of the long one, then the short one whole, then its up to 10 tokens.
      assertThat(steps).isLessThanOrEqualTo(12);
      assertThat(said[0]).isNull();
      while (said[0] == null) {
        batch.step(64);
      }
    }
  }

  /** Rows that come together, and dialogues that take turns, read what they share once. */
  @Test
  void whatIsSharedIsReadOnce() {
    int[] stem = prompts().get(0);
    try (DecodingBatch batch = generator.batch(4, 1024)) {
      var options = GenerationOptions.greedy(3, List.of());
      int[] done = {0};
      for (int row = 0; row < 4; row++) {
        int[] prompt = Arrays.copyOf(stem, 700);
        prompt[699] = 5 + row;
        batch.add(
            new Generator.Prompt(row, prompt),
            options,
            Arrays::toString,
            (r, t) -> {},
            reply -> done[0]++);
      }
      // Of the first 640 tokens of four prompts, and of 60 that are each one's own.
      int steps = 0;
      while (done[0] < 4) {
        batch.step(64);
        steps++;
      }
      assertThat(steps).isLessThan(11 + 4 + 4 + 3);
      int[] other = new int[200];
      Arrays.setAll(other, j -> 3 + (j * 13) % 290);
      for (int turn = 0; turn < 3; turn++) {
        for (int[] dialogue : List.of(stem, other)) {
          done[0] = 0;
          batch.add(
              new Generator.Prompt(9, dialogue),
              options,
              Arrays::toString,
              (r, t) -> {},
              reply -> done[0]++);
          steps = 0;
          while (done[0] < 1) {
            batch.step(64);
            steps++;
          }
          assertThat(steps).isLessThanOrEqualTo(turn == 0 && dialogue == other ? 7 : 4);
        }
      }
    }
  }

  @Test
  void aPromptsTokensAreToldWithTheirProbabilities() {
    Said said = alone(8, true);
    int[] prompt = prompts().get(8);
    assertThat(said.prompt()).hasSize(prompt.length - 1);
    try (var scorer = new ContinuationScorer(decoder())) {
      double[] expected =
          scorer
              .score(Arrays.copyOf(prompt, 1), Arrays.copyOfRange(prompt, 1, prompt.length))
              .logProbs();
      for (int i = 0; i < expected.length; i++) {
        assertThat(said.prompt().get(i).id()).isEqualTo(prompt[i + 1]);
        assertThat((double) said.prompt().get(i).logProb()).isCloseTo(expected[i], within(1e-4));
      }
    }
  }

  private Decoder decoder() {
    try {
      return student.decoder();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
