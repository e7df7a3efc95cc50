package dev.distillery.jobs.curate;

import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * The rows as a folder that Hugging Face's {@code load_dataset} takes.
 *
 * @param export the folder
 * @param exportFormat of its files
 */
@WithBuilder
public record HubOptions(
    @Option(
            names = "--export",
            paramLabel = "DIR",
            description =
                "Also write the rows as a Hugging Face data set: files by split, and a card with"
                    + " features, licenses and who is to be named.")
        Optional<String> export,
    @OnlyWith(option = "--export")
        @Option(
            names = "--export-format",
            defaultValue = "parquet",
            description = "Files of the data set.")
        Format exportFormat) {
  /** Named setters over the declared defaults. */
  public static HubOptionsBuilder builder() {
    return HubOptionsBuilder.builder(OptionsBinder.defaults(HubOptions.class));
  }

  /** What the files are. */
  public enum Format {
    PARQUET,
    JSONL
  }
}
