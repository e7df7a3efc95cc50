package dev.distillery.jobs.sft;

import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.spark.warehouse.WeightedRef;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What the sft job can be told.
 *
 * @param run what every job can be told
 * @param training what every training job can be told
 * @param tokens what is trained on
 * @param template chat template that rows are written in
 * @param templateInputs what the model's own template is told beside the dialogue
 * @param trainOn what of a dialogue is learned
 * @param distill a teacher whose probabilities are learned
 * @param labels of a classifier
 * @param maxRows how many rows the recipe is trained on, each for itself, ascending; empty: all
 * @param show rows of each input that a dry run prints
 */
@WithBuilder
public record SftOptions(
    RunOptions run,
    TrainingOptions training,
    TokenOptions tokens,
    @Option(
            names = "--template",
            paramLabel = "NAME",
            defaultValue = "",
            description =
                "Chat template that rows are written in: chatml, smollm2, llama3, llama2, vicuna,"
                    + " koala, alpaca or stack-qa. Default: the model's own.")
        String template,
    TemplateOptions templateInputs,
    @Option(
            names = "--train-on",
            defaultValue = "all-turns",
            description =
                "What of a row is learned: every answer with its end, the last one, or the questions"
                    + " and the template's own texts too; or, with label, the class that the output"
                    + " names, by a linear head on the text's last token.")
        TrainOn trainOn,
    DistillOptions distill,
    @OnlyWith(option = "--train-on", is = "label") LabelOptions labels,
    @Option(
            names = "--max-rows",
            paramLabel = "N,...",
            split = ",",
            description =
                "Train on so many rows, drawn from the seed; with several numbers on each for itself,"
                    + " the rows of one among those of the next, and tell quality by rows. The"
                    + " result is that of the last.")
        List<Long> maxRows,
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
        int show)
    implements Validated {
  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>();
    for (int i = 0; i < maxRows.size(); i++) {
      if (maxRows.get(i) < 1 || (i > 0 && maxRows.get(i) <= maxRows.get(i - 1))) {
        violations.add(
            "Option --max-rows: expected numbers from 1 on, each over the one before it, found "
                + maxRows);
        break;
      }
    }
    if (maxRows.size() > 1 && tokens.evalInput().isEmpty()) {
      violations.add(
          "Option --max-rows: quality by rows is told on rows of their own: give --eval-input");
    }
    if (learnsFromCompletions()) {
      if (distill.temperature() != 1) {
        violations.add(
            "Option --distill-temperature: of a teacher's likeliest tokens no other temperature can"
                + " be made: leave it out, or run the teacher beside by --distill MODEL");
      }
      if (tokens.packing().equals(Optional.of(Packing.CONSTANT_LENGTH))) {
        violations.add(
            "Option --packing: completions are packed isolated or not at all, found"
                + " constant-length");
      }
      if (tokens.overLength().equals(Optional.of(OverLength.SPLIT))) {
        violations.add(
            "Option --over-length: a reply has no turns to split at: cut or reject, found split");
      }
      if (trainOn != TrainOn.ALL_TURNS) {
        violations.add(
            "Option --train-on: of completions the reply is learned: leave it out with --distill "
                + distill.distill().orElseThrow());
      }
    }
    if (!classifies()) {
      return violations;
    }
    if (!template.isEmpty() || templateInputs.given()) {
      violations.add(
          "Option --template has no effect with --train-on label, whose rows are plain text: leave"
              + " it out, and --template-date and --template-args too");
    }
    if (tokens.packing().orElse(Packing.NONE) != Packing.NONE) {
      violations.add("Option --packing: a row with a label stands alone: leave it out");
    }
    if (tokens.overLength().equals(Optional.of(OverLength.SPLIT))) {
      violations.add(
          "Option --over-length: a row with a label cannot be split: expected cut or reject");
    }
    if (distill.distill().isPresent()) {
      violations.add(
          "Option --distill: a classifier has no next token to learn from a teacher: leave it out"
              + " with --train-on label");
    }
    return violations;
  }

  /** Whether what is to be learned are the probabilities of a table, and no teacher runs. */
  boolean learnsFromCompletions() {
    return distill.distill().isPresent()
        && tokens.input().stream()
            .anyMatch(ref -> WeightedRef.parse(ref).ref().equals(distill.distill().get()));
  }

  /** Whether a classifier is trained. */
  boolean classifies() {
    return trainOn == TrainOn.LABEL;
  }

  /** Named setters over the declared defaults. */
  public static SftOptionsBuilder builder() {
    return SftOptionsBuilder.builder(OptionsBinder.defaults(SftOptions.class));
  }
}
