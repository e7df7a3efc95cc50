package dev.distillery.jobs.chat;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the job chat can be told.
 *
 * @param run what every job can be told
 * @param model a model's directory or file
 * @param adapter LoRA adapter over it
 * @param with another model, which answers beside it
 * @param system what the dialogue begins with
 * @param maxNewTokens tokens of an answer at most
 * @param temperature of draws; 0 takes the likeliest token
 * @param topP nucleus of draws
 * @param contextLength tokens of the dialogue at most
 * @param chatTemplate chat template; by default each model's own
 * @param template what a chat template is told beside the dialogue
 * @param threads that compute
 */
@WithBuilder
public record ChatOptions(
    RunOptions run,
    @Required("name a directory or a file")
        @Option(
            names = "--model",
            paramLabel = "PATH",
            description = "Hugging Face directory or GGUF file.")
        String model,
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
        double topP,
    @Bounds(atLeast = 1)
        @Option(
            names = "--context-length",
            paramLabel = "N",
            description = "Tokens of the dialogue at most. Default: the model's, up to 4096.")
        Optional<Integer> contextLength,
    @Option(
            names = "--chat-template",
            paramLabel = "NAME",
            description = "Chat template of dialogues. Default: each model's own.")
        Optional<String> chatTemplate,
    TemplateOptions template,
    @Bounds(atLeast = 1)
        @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that compute. Default: one a processor.")
        Optional<Integer> threads) {
  /** Named setters over the declared defaults. */
  public static ChatOptionsBuilder builder() {
    return ChatOptionsBuilder.builder(OptionsBinder.defaults(ChatOptions.class));
  }
}
