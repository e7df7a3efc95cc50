package dev.distillery.datasets.read;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import java.io.Serializable;
import picocli.CommandLine.Option;

/**
 * What a reader believes of its input.
 *
 * @param maxRowBytes a longer row is rejected, and never held in memory whole; above 256 MiB a row
 *     and its parsed form do not fit a small executor any more
 * @param maxExpansion a compressed file that grows by more than this factor (and past 64 MiB) is
 *     cut off there
 */
@WithBuilder
public record ReadLimits(
    @Bounds(atLeast = 1024, atMost = 256 << 20)
        @Option(
            names = "--max-row-bytes",
            paramLabel = "BYTES",
            defaultValue = "16777216",
            description = "Reject longer rows, without holding them in memory.")
        int maxRowBytes,
    @Bounds(atLeast = 2)
        @Option(
            names = "--max-expansion",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Cut off a compressed file that grows by more than this factor.")
        int maxExpansion)
    implements Serializable {
  /** Named setters over the declared defaults. */
  public static ReadLimitsBuilder builder() {
    return ReadLimitsBuilder.builder(OptionsBinder.defaults(ReadLimits.class));
  }

  /** 16 MiB a row; 1,000 times for a compressed file. */
  public static final ReadLimits DEFAULT = OptionsBinder.defaults(ReadLimits.class);
}
