package dev.distillery.jobs.logprobs;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.WithBuilder;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the logprobs job can be told.
 *
 * @param run what every job can be told
 * @param model a model's directory or file
 * @param input tables or files of texts or token ids
 * @param output file of JSONL that the rows are written to as well
 */
@WithBuilder
public record LogprobsOptions(
    RunOptions run,
    @Required("name a Hugging Face directory or a GGUF file")
        @Option(
            names = "--model",
            paramLabel = "DIR_OR_GGUF",
            description = "Hugging Face directory or GGUF file of the student.")
        String model,
    @Required("name a table or files of texts or token ids")
        @Option(
            names = "--input",
            paramLabel = "REF",
            description =
                "Rows of id and text or token_ids: a table, table@run_id, or files of JSONL or"
                    + " Parquet. May be given again.")
        List<String> input,
    @Option(
            names = "--output",
            paramLabel = "FILE.jsonl",
            description =
                "File that the rows are written to as well, by id; must not be there yet, but"
                    + " with --overwrite.")
        Optional<String> output) {
  /** Named setters over the declared defaults. */
  public static LogprobsOptionsBuilder builder() {
    return LogprobsOptionsBuilder.builder(OptionsBinder.defaults(LogprobsOptions.class));
  }
}
