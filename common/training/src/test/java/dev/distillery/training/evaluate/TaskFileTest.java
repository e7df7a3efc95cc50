package dev.distillery.training.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.distillery.core.run.JobException;
import java.time.Duration;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;

class TaskFileTest {
  private static final String HEAD = "name: t\nprompt: \"{q}\"\nanswer: \"{a}\"\n";

  private static EvalTask task(String text) {
    return new TaskFile("t.yaml", text).task();
  }

  @Test
  void aPathOfAnyLengthIsRead() {
    String path = "a" + ".b[1]".repeat(20_000);
    String task = HEAD + "choices: %s\nlabels: %s\nmetrics: [acc]\n".formatted(path, path);
    assertThat(task(task).columns()).containsExactly("a", "q");
    String placed = "name: t\ntext: \"{%s}\"\nmetrics: [perplexity]\n".formatted(path);
    assertThat(task(placed).columns()).containsExactly("a");
  }

  @Test
  void whatIsWrongIsSaidWithItsLine() {
    assertThatThrownBy(() -> task("\n\n" + HEAD + "metrics : [speed]\ncolour: red\nnum_fewshot: x"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("t.yaml:6: 'metrics': 'speed' is none of")
        .hasMessageContaining("t.yaml:7: Unknown key 'colour'")
        .hasMessageContaining("t.yaml:8: 'num_fewshot': expected 0 to 1000");
  }

  @Test
  void linesAreCountedOnceHoweverManyAreBlankOrWrong() {
    StringBuilder text = new StringBuilder("\n".repeat(400_000)).append(HEAD);
    for (int i = 0; i < 2_000; i++) {
      text.append("x")
          .append(Integer.toString(i, 26).replaceAll("\\d", "z"))
          .append(i)
          .append(": 1\n");
    }
    assertTimeoutPreemptively(
        Duration.ofSeconds(30),
        () ->
            assertThatThrownBy(() -> task(text + "metrics: speed\n"))
                .hasMessageContaining("2001 problems"));
  }

  @Test
  void aNameThatIsNoPathIsRefused() {
    assertThatThrownBy(() -> TaskFiles.of(List.of("my:task.yaml"), new Configuration()))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("Option --tasks: cannot read my:task.yaml: ");
  }

  @Test
  void aPublishedFigureThatIsNoTextIsRefused() {
    String task = HEAD + "metrics: [acc]\npublished: {gpt3: %s}\n";
    assertThat(task(task.formatted("81.0")).published()).containsEntry("gpt3", "81.0");
    for (String value : new String[] {"", "[81.0]", "{few: 81.0}"}) {
      assertThatThrownBy(() -> task(task.formatted(value)))
          .hasMessageContaining("t.yaml:5: 'published.gpt3': expected a text, found ");
    }
  }
}
