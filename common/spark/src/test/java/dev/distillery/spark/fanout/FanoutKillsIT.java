package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code benchmarks/fanout/kills} does the same as often as asked. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class FanoutKillsIT {
  @TempDir Path folder;

  @Test
  void fiveKillsBuyNothingTwiceButWhatWasOnTheWire() throws Exception {
    Kills.Result result =
        Kills.run(5, 7, folder.resolve("ledger").toUri().toString(), folder, System.err);
    assertThat(result.broken()).as(result.toString()).isEmpty();
    assertThat(result.seen()).isLessThan(result.asked() + 5L * 2 * result.concurrency());
  }
}
