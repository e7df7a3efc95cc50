package dev.distillery.jobs.chat;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.training.student.AskedOptions;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the job chat can be told.
 *
 * @param run what every job can be told
 * @param student that is talked to
 * @param adapter LoRA adapter over it
 * @param with another model, which answers beside it
 * @param system what the dialogue begins with
 * @param maxNewTokens tokens of an answer at most
 * @param temperature of draws; 0 takes the likeliest token
 * @param topP nucleus of draws
 */
@WithBuilder
public record ChatOptions(
    RunOptions run,
    AskedOptions student,
    @Option(
            names = "--adapter",
            paramLabel = "DIR",
            description = "PEFT adapter (LoRA) that is merged into the model as it is read.")
        Optional<String> adapter,
    @Option(
            names = "--with",
            paramLabel = "PATH",
            description =
                "Another model that answers the same beside it: a directory, a GGUF file, or a PEFT"
                    + " adapter over --model.")
        Optional<String> with,
    @Option(
            names = "--system",
            paramLabel = "TEXT",
            description = "System message that the dialogue begins with.")
        Optional<String> system,
    @Bounds(atLeast = 1)
        @Option(
            names = "--max-new-tokens",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of an answer at most.")
        int maxNewTokens,
    @Bounds(atLeast = 0, atMost = 2)
        @Option(
            names = "--temperature",
            paramLabel = "T",
            defaultValue = "0.7",
            description = "Of draws; 0 takes the likeliest token each time.")
        double temperature,
    @Bounds(above = 0, atMost = 1)
        @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "1",
            description = "Draws from the fewest tokens that have this probability together.")
        double topP) {
  /** Named setters over the declared defaults. */
  public static ChatOptionsBuilder builder() {
    return ChatOptionsBuilder.builder(OptionsBinder.defaults(ChatOptions.class));
  }
}
