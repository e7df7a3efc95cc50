package dev.distillery.training.tokens;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.WeightedRef;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/**
 * What is trained on, and how long its rows may be.
 *
 * @param input tables or files with their weights
 * @param evalInput tables or files that are only evaluated on
 * @param maxLength tokens of a row at most
 * @param packing how many rows of the input stand in one row
 * @param overLength what becomes of a longer row
 */
@WithBuilder
public record TokenOptions(
    @Required("name a table or files to train on")
        @Option(
            names = "--input",
            paramLabel = "REF[=WEIGHT]",
            description =
                "Table, table@run_id, or files of JSONL or Parquet. May be given again; the weight"
                    + " is the number of passes over it in an epoch.")
        List<String> input,
    @Option(
            names = "--eval-input",
            paramLabel = "REF",
            description = "Rows that are only evaluated on. May be given again.")
        List<String> evalInput,
    @Bounds(atLeast = 2)
        @Option(
            names = "--max-length",
            paramLabel = "N",
            description =
                "Tokens of a row at most. Default: 1024, or the model's context where that is"
                    + " shorter.")
        Optional<Integer> maxLength,
    @Option(
            names = "--packing",
            description =
                "How rows of the input share a row: not at all; best fit decreasing, each seeing"
                    + " itself only; or running on through rows of equal length. Default: none for"
                    + " dialogues, isolated for documents.")
        Optional<Packing> packing,
    @Option(
            names = "--over-length",
            description =
                "What becomes of a row that is too long: cut at its end, split (a dialogue at its"
                    + " turns), or rejected; a pair that is cut loses the beginning of its prompt."
                    + " Default: cut for dialogues, split for documents, for pairs their answers"
                    + " cut at the end.")
        Optional<OverLength> overLength)
    implements Validated {

  /** The longest row where nothing is said. */
  private static final int USUAL_LENGTH = 1024;

  /** Named setters over the declared defaults. */
  public static TokenOptionsBuilder builder() {
    return TokenOptionsBuilder.builder(OptionsBinder.defaults(TokenOptions.class));
  }

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    for (String text : input) {
      try {
        var unused = WeightedRef.parse(text);
      } catch (JobException e) {
        violations.add(String.valueOf(e.getMessage()));
      }
    }
    if (overLength.isPresent() && packing.equals(Optional.of(Packing.CONSTANT_LENGTH))) {
      violations.add(
          "Option --over-length has no effect with --packing constant-length, whose texts run on"
              + " through rows: leave it out");
    }
    return violations;
  }

  /** What is wrong with these options where rows are comparisons. */
  public List<String> pairViolations() {
    var violations = new ArrayList<String>();
    if (packing.orElse(Packing.NONE) != Packing.NONE) {
      violations.add("Option --packing: a pair stands alone: leave it out");
    }
    if (overLength.equals(Optional.of(OverLength.SPLIT))) {
      violations.add("Option --over-length: a pair cannot be split: expected cut or reject");
    }
    return violations;
  }

  /** What becomes of a comparison that is too long. */
  public PairSettings.LongPair longPair() {
    if (overLength.isEmpty()) {
      return PairSettings.LongPair.CUT_ANSWERS;
    }
    return switch (overLength.get()) {
      case CUT -> PairSettings.LongPair.CUT_PROMPT;
      case REJECT -> PairSettings.LongPair.REJECT;
      case SPLIT -> throw new IllegalStateException("Pairs are not split, see pairViolations");
    };
  }

  /** All that is read, without weights. */
  public List<TableRef> refs() {
    return Stream.concat(input.stream(), evalInput.stream())
        .map(text -> TableRef.parse(WeightedRef.parse(text).ref()))
        .toList();
  }

  /**
   * The longest row under a model.
   *
   * @param context positions that the model has
   * @throws JobException where more are asked for
   */
  public int length(int context) {
    if (maxLength.isPresent() && maxLength.get() > context) {
      throw JobException.invalid(
          "Option --max-length: the model has a context of %s tokens, found %s; lower it"
              .formatted(context, maxLength.get()));
    }
    return maxLength.orElse(Math.min(USUAL_LENGTH, context));
  }
}
