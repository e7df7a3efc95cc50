package dev.distillery.core.prompt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.distillery.core.run.JobException;
import dev.distillery.core.text.RougeL;
import dev.distillery.core.text.RougeTokenizer;
import dev.distillery.core.text.WordTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class SeedTasksTest {
  private static final WordTokenizer TOKENIZER = new RougeTokenizer();

  private static final String GOOD =
      "{\"id\": \"a\", \"name\": \"n\", \"instruction\": \"Say hello.\","
          + " \"instances\": [{\"input\": \"\", \"output\": \"hello\"}],"
          + " \"is_classification\": false}\n";

  @Test
  void ourSeedsHaveTheNumbersThatTheDocumentsGive() throws IOException {
    List<SeedTask> seeds = SeedTasks.read(root().resolve("conf/seed_tasks.jsonl"));

    assertThat(seeds).hasSize(175);
    assertThat(seeds).filteredOn(SeedTask::isClassification).hasSize(26);
    assertThat(seeds).filteredOn(seed -> seed.shown().input().isEmpty()).hasSize(50);
    assertThat(seeds).extracting(SeedTask::name).doesNotHaveDuplicates();
    for (int i = 0; i < seeds.size(); i++) {
      assertThat(seeds.get(i).id()).isEqualTo("seed_task_" + i);
    }
    assertThat(seeds.stream().mapToInt(s -> PythonStrings.countWords(s.instruction())).average())
        .hasValueCloseTo(13.0, within(1.0));
  }

  @Test
  void noTwoOfOurSeedsAreNearDuplicates() throws IOException {
    assertThat(largestRougeL(ourInstructions(), ourInstructions())).isLessThan(0.6);
  }

  @Test
  void ourSeedsAreNotTheOriginalOnes() throws IOException {
    Path originals = root().resolve("../shared/data/self-instruct/seed_tasks.jsonl");
    assumeTrue(Files.exists(originals), "The original seed tasks are not here");

    List<SeedTask> seeds = SeedTasks.read(originals);

    assertThat(seeds).hasSize(175);
    assertThat(seeds).filteredOn(SeedTask::isClassification).hasSize(26);
    assertThat(seeds).filteredOn(seed -> seed.shown().input().isEmpty()).hasSize(50);
    assertThat(largestRougeL(ourInstructions(), seeds.stream().map(SeedTask::instruction).toList()))
        .isLessThan(0.6);
  }

  @Test
  void readsATaskWithAllItsInstances() {
    String json =
        "{\"is_classification\": true, \"id\": \"x\", \"name\": \"parity\", \"instruction\": \"Odd"
            + " or even?\", \"instances\": [{\"input\": \"3\", \"output\": \"odd\"},"
            + " {\"output\": \"even\", \"input\": \"4\"}]}\r\n";

    assertThat(read(json))
        .containsExactly(
            new SeedTask(
                "x",
                "parity",
                "Odd or even?",
                List.of(new TaskInstance("3", "odd"), new TaskInstance("4", "even")),
                true));
  }

  @Test
  void namesEveryProblemOfAFileAtOnce() {
    String json =
        GOOD
            + GOOD
            + "{\"id\": 7, \"instruction\": \" \", \"instances\": [], \"is_classification\":"
            + " \"no\", \"nmae\": \"x\"}\n"
            + "\n"
            + "[1]\n"
            + "{\"id\": \"b\", \"id\": \"c\"}\n"
            + "{} {}\n"
            + "{\"id\": \"d\", \"name\": \"n\", \"instruction\": \"\\ud83d\", \"instances\": [4,"
            + " {\"input\": null, \"output\": \"\", \"note\": \"\"}], \"is_classification\": true}";

    assertThatThrownBy(() -> read(json))
        .isInstanceOf(JobException.class)
        .hasMessage(
            String.join(
                "\n  - ",
                "16 problems:",
                "seeds.jsonl:2: id: \"a\" is also on line 1; give each task its own id",
                "seeds.jsonl:3: nmae: is not a known field; remove it (known: id,"
                    + " instances, instruction, is_classification, name)",
                "seeds.jsonl:3: id: is a number; give a text",
                "seeds.jsonl:3: name: is missing; give a text",
                "seeds.jsonl:3: instruction: is blank; give a text",
                "seeds.jsonl:3: instances: is empty; give at least one {\"input\","
                    + " \"output\"} object",
                "seeds.jsonl:3: is_classification: is a text; give true or false",
                "seeds.jsonl:4: the line is blank; remove it",
                "seeds.jsonl:5: holds a list; give one JSON object on each line",
                "seeds.jsonl:6: is not one JSON object at column 17: Duplicate field 'id'",
                "seeds.jsonl:7: holds more than one JSON value; give one JSON object on"
                    + " each line",
                "seeds.jsonl:8: instruction: holds half of a surrogate pair; escape both"
                    + " halves or write the character",
                "seeds.jsonl:8: instances[0]: is a number; give an {\"input\", \"output\"}"
                    + " object",
                "seeds.jsonl:8: instances[1].note: is not a known field; remove it (known:"
                    + " input, output)",
                "seeds.jsonl:8: instances[1].input: is null; give a text",
                "seeds.jsonl:8: instances[1].output: is blank; give a text"));
  }

  @Test
  void refusesAByteOrderMarkInvalidUtf8AndAnEmptyFile() {
    assertThatThrownBy(() -> read("\uFEFF" + GOOD))
        .hasMessageContaining("seeds.jsonl:1: starts with a byte order mark");
    byte[] latin1 = "{\"id\": \"\u00e9\"}".getBytes(ISO_8859_1);
    assertThatThrownBy(() -> read(latin1))
        .hasMessageContaining("seeds.jsonl:1: is not valid UTF-8; save the file as UTF-8");
    assertThatThrownBy(() -> read(""))
        .hasMessageContaining("seeds.jsonl: is empty; give one JSON object on each line");
  }

  @Test
  void refusesMoreThanItWouldHold() {
    assertThatThrownBy(() -> read(new byte[SeedTasks.MAX_BYTES + 1]))
        .hasMessageContaining("is longer than 16777216 bytes");
    String longText = GOOD.replace("hello\"}", "h".repeat(SeedTasks.MAX_FIELD_CHARS + 1) + "\"}");
    assertThatThrownBy(() -> read(longText))
        .hasMessageContaining("instances[0].output: has 100001 characters; at most 100000");
    assertThatThrownBy(() -> read("\n".repeat(150)))
        .hasMessageEndingWith("seeds.jsonl:100: the line is blank; remove it\n  - and 50 more");
  }

  @Property(seed = "20260801")
  void anyBytesAreReadOrRefused(@ForAll byte[] bytes) {
    try {
      assertThat(read(bytes)).isNotEmpty();
    } catch (JobException e) {
      assertThat(e).hasMessageContaining("seeds.jsonl");
    }
  }

  private static List<SeedTask> read(String text) {
    return read(text.getBytes(UTF_8));
  }

  private static List<SeedTask> read(byte[] bytes) {
    try {
      return SeedTasks.read(new ByteArrayInputStream(bytes), "seeds.jsonl");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> ourInstructions() throws IOException {
    return SeedTasks.read(root().resolve("conf/seed_tasks.jsonl")).stream()
        .map(SeedTask::instruction)
        .toList();
  }

  /** The repository's root, from the module's directory in which Maven runs tests. */
  private static Path root() {
    return Path.of("../..");
  }

  /** The largest score of a pair; a list with itself is compared without the equal pairs. */
  private static double largestRougeL(List<String> left, List<String> right) {
    double largest = 0;
    boolean same = left.equals(right);
    List<List<String>> a = left.stream().map(TOKENIZER::tokenize).toList();
    List<List<String>> b = right.stream().map(TOKENIZER::tokenize).toList();
    for (int i = 0; i < left.size(); i++) {
      for (int j = 0; j < (same ? i : right.size()); j++) {
        largest = Math.max(largest, RougeL.score(a.get(i), b.get(j)));
      }
    }
    return largest;
  }
}
