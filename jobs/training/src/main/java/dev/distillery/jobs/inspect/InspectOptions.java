package dev.distillery.jobs.inspect;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.model.format.Hardware;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * What the inspect job can be told.
 *
 * @param run what every job can be told
 * @param model a model's directory or file, or the name of a published configuration
 * @param hardware machine of the training estimate
 * @param trainingTokens tokens of the training estimate, all epochs together
 * @param sequenceLength tokens of one sequence of the training estimate
 */
@WithBuilder
public record InspectOptions(
    RunOptions run,
    @Required("name a directory, a file or a configuration")
        @Option(
            names = "--model",
            paramLabel = "PATH|NAME",
            description =
                "Hugging Face directory, GGUF file or llama2.c checkpoint; or a configuration's"
                    + " name, such as llama-7b.")
        String model,
    @Option(
            names = "--hardware",
            paramLabel = "NAME",
            defaultValue = "8xa100-80gb",
            description = "Machine of the training estimate.")
        String hardware,
    @Bounds(atLeast = 1)
        @Option(
            names = "--training-tokens",
            paramLabel = "N",
            defaultValue = "10000000",
            description = "Tokens of the training estimate, all epochs together.")
        long trainingTokens,
    @Bounds(atLeast = 1, atMost = 1 << 24)
        @Option(
            names = "--sequence-length",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of one sequence of the training estimate.")
        int sequenceLength)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static InspectOptionsBuilder builder() {
    return InspectOptionsBuilder.builder(OptionsBinder.defaults(InspectOptions.class));
  }

  @Override
  public List<String> violations() {
    List<String> known = Hardware.known().stream().map(Hardware::name).toList();
    return Nearest.expected("--hardware", hardware, known).stream().toList();
  }
}
