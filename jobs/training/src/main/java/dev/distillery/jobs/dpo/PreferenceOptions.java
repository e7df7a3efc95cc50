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
 * @param gamma margin that the loss of SimPO wants
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
                    + " its sigmoid (DPO), its hinge (SLiC), the square of its distance from"
                    + " 1 / (2 beta), of means a token (IPO), or minus the logarithm of the sigmoid"
                    + " of means a token, less a margin and without a reference (SimPO).")
        PreferenceLoss.Kind loss,
    @Bounds(above = 0)
        @Option(
            names = "--beta",
            paramLabel = "X",
            description =
                "How much a difference counts: where there is a reference, the higher, the nearer"
                    + " the student stays to it. Default: 0.1; 2 with --loss simpo.")
        Optional<Double> beta,
    @OnlyWith(option = "--loss", is = "simpo")
        @Bounds(atLeast = 0)
        @Option(
            names = "--simpo-gamma",
            paramLabel = "X",
            defaultValue = "1",
            description =
                "Margin between the two answers' rewards that SimPO wants. Its authors begin at"
                    + " half of --beta.")
        double gamma,
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
                "Model that the policy is held near to. Default: the policy without its adapters,"
                    + " or a copy of --model.")
        Optional<String> refModel) {
  /** TRL's. */
  private static final double DPO_BETA = 0.1;

  /** The smallest that SimPO's authors used. */
  private static final double SIMPO_BETA = 2;

  /** Named setters over the declared defaults. */
  public static PreferenceOptionsBuilder builder() {
    return PreferenceOptionsBuilder.builder(OptionsBinder.defaults(PreferenceOptions.class));
  }

  PreferenceLoss.Options toLoss() {
    boolean simpo = loss == PreferenceLoss.Kind.SIMPO;
    return new PreferenceLoss.Options(
        loss, beta.orElse(simpo ? SIMPO_BETA : DPO_BETA), labelSmoothing, simpo ? gamma : 0);
  }
}
