package dev.distillery.jobs.pretrain;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the pretrain job can be told. {@code --model} may be a shape here, for a new model.
 *
 * @param run what every job can be told
 * @param training what every training job can be told
 * @param tokens what is trained on
 * @param tokenizerFrom tokenizer of a new model
 * @param vocabSize tokens of a tokenizer that is trained
 * @param show rows of each input that a dry run prints
 */
@WithBuilder
public record PretrainOptions(
    RunOptions run,
    TrainingOptions training,
    TokenOptions tokens,
    @Option(
            names = "--tokenizer-from",
            paramLabel = "DIR|train",
            description =
                "Tokenizer of a new model: a directory, tokenizer.json or GGUF file that has one,"
                    + " or train, for byte-level BPE trained on the input.")
        Optional<String> tokenizerFrom,
    @OnlyWith(option = "--tokenizer-from", is = "train")
        @Bounds(atLeast = 257, advice = "there are 256 bytes and an end of text")
        @Option(
            names = "--vocab-size",
            paramLabel = "N",
            description =
                "Tokens of a tokenizer that is trained, at most. Default: those of the shape.")
        Optional<Integer> vocabSize,
    @Tunable
        @OnlyWith(option = "--dry-run")
        @Bounds(atLeast = 0)
        @Option(
            names = "--show",
            paramLabel = "N",
            defaultValue = "0",
            description =
                "Rows of each input that --dry-run prints token by token, those marked that are"
                    + " learned.")
        int show) {
  /** What {@code --tokenizer-from} says for a tokenizer of the input's own. */
  static final String TRAIN = "train";

  /** Named setters over the declared defaults. */
  public static PretrainOptionsBuilder builder() {
    return PretrainOptionsBuilder.builder(OptionsBinder.defaults(PretrainOptions.class));
  }
}
