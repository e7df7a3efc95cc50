package dev.distillery.jobs.sft;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * A classifier's own options.
 *
 * @param maxClasses distinct outputs at most
 * @param auxLmWeight of the auxiliary next-token loss over the text; empty: GPT-1's 0.5, and 0
 *     where the head alone is trained
 */
@WithBuilder
public record LabelOptions(
    @Bounds(atLeast = 2, atMost = 1 << 16)
        @Option(
            names = "--max-classes",
            paramLabel = "N",
            defaultValue = "1000",
            description =
                "Classes at most, which are the distinct outputs; more of them are refused, since"
                    + " answers are no labels.")
        int maxClasses,
    @Bounds(atLeast = 0)
        @Option(
            names = "--aux-lm-weight",
            paramLabel = "X",
            description =
                "What the next-token loss over the text counts beside the classes' loss. Default:"
                    + " 0.5, as in GPT-1; 0 with --trainable head, of which it moves nothing.")
        Optional<Double> auxLmWeight) {
  /** GPT-1's lambda. */
  private static final double USUAL_AUX = 0.5;

  /** Named setters over the declared defaults. */
  public static LabelOptionsBuilder builder() {
    return LabelOptionsBuilder.builder(OptionsBinder.defaults(LabelOptions.class));
  }

  /** The weight of the auxiliary loss. */
  double auxWeight(boolean headAlone) {
    return auxLmWeight.orElse(headAlone ? 0 : USUAL_AUX);
  }
}
