package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.util.Locale;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CurvesPageTest {
  @TempDir Path temp;

  @Test
  void aLongRunIsOnePageOfBoundedSize() throws IOException {
    OutputFolder folder = OutputFolder.at(temp.toString(), new Configuration());
    MetricLog log = new MetricLog(folder, Clock.systemUTC());
    log.resume(0);
    for (int step = 1; step <= 5000; step++) {
      log.log(step, Map.of("loss", 1.0 / step, "num_tokens", 10.0 * step, "<b>", 1.0));
      if (step % 10 == 0) {
        log.log(step, Map.of("update_ratio/layer_2", 1e-3, "update_ratio/layer_10", 1e-4));
      }
      if (step % 1000 == 0) {
        log.log(step, Map.of("eval_loss", 2.0 / step));
      }
    }
    log.flush();

    Files.createDirectories(temp.resolve("samples"));
    for (int step = 0; step < 100; step++) {
      Files.writeString(
          temp.resolve(String.format(Locale.ROOT, "samples/samples-%010d.jsonl", step)),
          String.format(
              Locale.ROOT,
              """
              {"prompt": "<u>", "answer": "at %d", "expected": "", "score": 0.5}
              {"prompt": "<u>", "answer": "%s", "expected": "hoped"}
              """,
              step,
              "long ".repeat(1000)));
    }

    Files.writeString(
        temp.resolve(String.format(Locale.ROOT, "samples/samples-%010d.jsonl", 99)),
        "{\"prompt\": \"one of many\", \"answer\": \"%s\"}\n"
            .formatted("long ".repeat(1000))
            .repeat(200),
        StandardOpenOption.APPEND);
    Files.writeString(temp.resolve("samples/.DS_Store"), "a file manager's");

    CurvesPage.write(folder, "Training: <i>");

    String html = Files.readString(temp.resolve("metrics.html"));
    assertThat(html.length()).isLessThan(200_000);
    assertThat(html)
        .contains("Training: &lt;i&gt;", "&lt;b&gt;", "eval_loss", "Update by parameter norm")
        .contains("1. &lt;u&gt;", "2. &lt;u&gt;", "Expected: hoped", ">0.5000<")
        .containsPattern("(?s)>0</td>.*>at 0<.*>at 9<.*>99</td>.*>at 99<")
        .doesNotContain(">at 1<")
        .doesNotContain("<b>", "<i>", "num_tokens", "<script", "http://localhost");
    assertThat(html.indexOf(">layer_2<")).isLessThan(html.indexOf(">layer_10<")).isPositive();
  }
}
