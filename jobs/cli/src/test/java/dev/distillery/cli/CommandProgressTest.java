package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.ProgressListener;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Jobs of the command line tell the listener that the process has chosen, as often as it says. */
class CommandProgressTest {
  @TempDir Path folder;

  private static final class Listener implements ProgressListener {
    final List<Update> updates = new ArrayList<>();

    @Override
    public void update(Update update) {
      updates.add(update);
    }

    @Override
    public Duration distance(Duration elapsed) {
      return Duration.ofHours(1);
    }
  }

  private final Listener listener = new Listener();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private void run(String... args) {
    var stream = new PrintStream(err, true, StandardCharsets.UTF_8);
    int code = new CommandLineTool(stream, stream, listener, Clock.systemUTC()).run(args);
    assertThat(code).as(err.toString(StandardCharsets.UTF_8)).isZero();
  }

  @Test
  void aJobAndAStageTellTheProcesssListener() throws IOException {
    Path rows =
        Files.writeString(
            folder.resolve("rows.jsonl"), "{\"id\": \"a\", \"instruction\": \"Name a sea.\"}\n");
    run(
        "dedup",
        "--input",
        rows.toString(),
        "--table",
        "instructions",
        "--warehouse",
        folder.resolve("warehouse").toString());
    assertThat(listener.updates).isNotEmpty().allMatch(update -> update.job().equals("dedup"));
    listener.updates.clear();
    Path recipe =
        Files.writeString(
            folder.resolve("recipe.yaml"),
            """
            stages:
              first:
                job: dedup
                options:
                  input: %s
                  table: instructions
            """
                .formatted(rows));
    run(
        "pipeline",
        "--recipe",
        recipe.toString(),
        "--set",
        "out=" + folder.resolve("out"),
        "--warehouse",
        folder.resolve("warehouse").toString());
    assertThat(listener.updates).isNotEmpty().allMatch(update -> update.job().equals("dedup"));
    assertThat(err.toString(StandardCharsets.UTF_8))
        .contains("[pipeline]")
        .doesNotContain("[dedup]");
  }
}
