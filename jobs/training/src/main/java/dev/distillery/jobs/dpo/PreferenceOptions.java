package dev.distillery.jobs.dpo;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.model.train.PreferenceLoss;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What is minimised, and what the student is held near to.
 *
 * @param loss which function of the difference between two answers
 * @param beta how much a difference from the reference counts
 * @param labelSmoothing share of pairs that are thought to be the wrong way round (cDPO)
 * @param refModel model that the policy is held near to. Default: the policy without its adapters,
 *     or a copy of --model
 */
@WithBuilder
public record PreferenceOptions(
    @Option(
            names = "--loss",
            defaultValue = "sigmoid",
            description =
                "What is minimised of the difference between two answers: minus the logarithm of"
                    + " its sigmoid (DPO), its hinge (SLiC), or the square of its distance from"
                    + " 1 / (2 beta), of means a token (IPO).")
        PreferenceLoss.Kind loss,
    @Bounds(above = 0)
        @Option(
            names = "--beta",
            paramLabel = "X",
            defaultValue = "0.1",
            description =
                "How much a difference from the reference counts: the higher, the nearer the"
                    + " student stays to it.")
        double beta,
    @OnlyWith(option = "--loss", is = "sigmoid")
        @Bounds(atLeast = 0, below = 0.5)
        @Option(
            names = "--label-smoothing",
            paramLabel = "SHARE",
            defaultValue = "0",
            description = "Share of pairs that are thought to be the wrong way round (cDPO).")
        double labelSmoothing,
    @Option(
            names = "--ref-model",
            paramLabel = "DIR_OR_GGUF",
            description =
                "Model that the policy is held near to. Default: the policy without its adapters, or a copy of --model.")
        Optional<String> refModel) {
  /** Named setters over the declared defaults. */
  public static PreferenceOptionsBuilder builder() {
    return PreferenceOptionsBuilder.builder(OptionsBinder.defaults(PreferenceOptions.class));
  }

  PreferenceLoss.Options toLoss() {
    return new PreferenceLoss.Options(loss, beta, labelSmoothing);
  }
}
