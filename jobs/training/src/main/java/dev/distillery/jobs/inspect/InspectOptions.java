package dev.distillery.jobs.inspect;

import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.model.format.Hardware;
import java.util.ArrayList;
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
public record InspectOptions(
    RunOptions run,
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
    @Option(
            names = "--training-tokens",
            paramLabel = "N",
            defaultValue = "10000000",
            description = "Tokens of the training estimate, all epochs together.")
        long trainingTokens,
    @Option(
            names = "--sequence-length",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of one sequence of the training estimate.")
        int sequenceLength)
    implements Validated {

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>(run.violations());
    if (model.isBlank()) {
      violations.add("Option --model is empty: name a directory, a file or a configuration");
    }
    if (trainingTokens < 1) {
      violations.add("Option --training-tokens: " + trainingTokens + " is not positive");
    }
    if (sequenceLength < 1 || sequenceLength > 1 << 24) {
      violations.add("Option --sequence-length: " + sequenceLength + " is not in [1, 16777216]");
    }
    if (Hardware.known().stream().noneMatch(h -> h.name().equals(hardware))) {
      violations.add(
          "Option --hardware: '"
              + hardware
              + "' is unknown; use one of "
              + String.join(", ", Hardware.known().stream().map(Hardware::name).toList()));
    }
    return violations;
  }
}
