package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.spark.warehouse.MetricRow;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class EventFileTest {
  /** What TensorBoard's own writer makes of the same events, by make_events_golden.py. */
  @Test
  void isWhatTensorBoardItselfWrites() throws IOException {
    Instant first = Instant.ofEpochMilli(1500);
    List<MetricRow> rows =
        List.of(
            new MetricRow(1, first, "loss", 4.25),
            new MetricRow(1, first, "eval_loss", 0.1),
            new MetricRow(
                300, Instant.ofEpochMilli(1_700_000_000_125L), "grad_norm/layer_0", -3e-9));
    try (InputStream golden = EventFileTest.class.getResourceAsStream("/golden/events.tfevents")) {
      assertThat(EventFile.of(first, rows))
          .isEqualTo(Objects.requireNonNull(golden).readAllBytes());
    }
  }
}
