package dev.distillery.jobs.ppo;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.model.rl.Algorithm;
import dev.distillery.model.rl.KlController;
import dev.distillery.model.rl.KlEstimator;
import dev.distillery.model.rl.Whitening;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * How answers are learned from.
 *
 * @param algorithm how advantages are made: by a critic, or by the other answers to the same prompt
 * @param ppoEpochs passes over the answers of an update
 * @param miniBatchSize answers of one optimiser step. Default: all of an update
 * @param klCoef coefficient of the divergence from the reference, of an adaptive controller the
 *     first; with grpo that of a loss
 * @param klController whether the coefficient follows --target-kl; with grpo it stays
 * @param targetKl divergence of an answer that the controller steers to, summed over its tokens
 * @param klHorizon answers over which the controller adapts
 * @param klEstimator estimator of the divergence in rewards
 * @param earlyStopKl an update ends where a mini-batch has moved the policy by over 1.5 times this;
 *     0: never
 * @param gamma discount of rewards to come
 * @param gaeLambda lambda of generalised advantage estimation
 * @param cliprange how far the ratio of probabilities counts from 1
 * @param cliprangeValue how far a value counts from that of rollout time; 0 clips nothing
 * @param vfCoef weight of the error of values
 * @param entropyCoef weight of the entropy, which is raised
 * @param whiten what is brought to variance 1 over an update: advantages, shaped rewards, both, or
 *     nothing. With ppo; rloo and grpo compare within a group
 * @param whitenVariance the variance of whitening: that of TRL, by n - 1, or that of OpenAI, by n
 * @param emaDecay decay of an average of the weights over updates, which is then the result; 0:
 *     none
 * @param valueModel reward model, or its adapter, that a value network of its own begins from.
 *     Default: a value head on the policy
 * @param refModel model that the policy is held near to. Default: the policy without its adapters,
 *     or a copy of --model
 */
@WithBuilder
public record UpdateOptions(
    @Option(
            names = "--algorithm",
            defaultValue = "ppo",
            description =
                "How advantages are made: by a critic, or by the other answers to the same prompt.")
        Algorithm algorithm,
    @Bounds(atLeast = 1)
        @Option(
            names = "--ppo-epochs",
            paramLabel = "N",
            defaultValue = "4",
            description = "Passes over the answers of an update.")
        int ppoEpochs,
    @Bounds(atLeast = 1)
        @Option(
            names = "--mini-batch-size",
            paramLabel = "N",
            description = "Answers of one optimiser step. Default: all of an update.")
        Optional<Integer> miniBatchSize,
    @Bounds(atLeast = 0)
        @Option(
            names = "--kl-coef",
            paramLabel = "X",
            defaultValue = "0.2",
            description =
                "Coefficient of the divergence from the reference, of an adaptive controller the"
                    + " first; with grpo that of a loss.")
        double klCoef,
    @OnlyWith(
            option = "--algorithm",
            is = {"ppo", "rloo"})
        @Option(
            names = "--kl-controller",
            defaultValue = "adaptive",
            description = "Whether the coefficient follows --target-kl.")
        KlController.Kind klController,
    @OnlyWith(
            option = "--algorithm",
            is = {"ppo", "rloo"})
        @Bounds(above = 0)
        @Option(
            names = "--target-kl",
            paramLabel = "NATS",
            defaultValue = "6",
            description =
                "Divergence of an answer that the controller steers to, summed over its tokens.")
        double targetKl,
    @OnlyWith(
            option = "--algorithm",
            is = {"ppo", "rloo"})
        @Bounds(above = 0)
        @Option(
            names = "--kl-horizon",
            paramLabel = "N",
            defaultValue = "10000",
            description = "Answers over which the controller adapts.")
        double klHorizon,
    @OnlyWith(
            option = "--algorithm",
            is = {"ppo", "rloo"})
        @Option(
            names = "--kl-estimator",
            defaultValue = "k1",
            description = "Estimator of the divergence in rewards.")
        KlEstimator klEstimator,
    @Bounds(atLeast = 0)
        @Option(
            names = "--early-stop-kl",
            paramLabel = "NATS",
            defaultValue = "0",
            description =
                "An update ends where a mini-batch has moved the policy by over 1.5 times this; 0:"
                    + " never.")
        double earlyStopKl,
    @OnlyWith(option = "--algorithm", is = "ppo")
        @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--gamma",
            paramLabel = "X",
            defaultValue = "1",
            description = "Discount of rewards to come.")
        double gamma,
    @OnlyWith(option = "--algorithm", is = "ppo")
        @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--gae-lambda",
            paramLabel = "X",
            defaultValue = "0.95",
            description = "Lambda of generalised advantage estimation.")
        double gaeLambda,
    @Bounds(above = 0)
        @Option(
            names = "--cliprange",
            paramLabel = "X",
            defaultValue = "0.2",
            description = "How far the ratio of probabilities counts from 1.")
        double cliprange,
    @OnlyWith(option = "--algorithm", is = "ppo")
        @Bounds(atLeast = 0)
        @Option(
            names = "--cliprange-value",
            paramLabel = "X",
            defaultValue = "0.2",
            description = "How far a value counts from that of rollout time; 0 clips nothing.")
        double cliprangeValue,
    @OnlyWith(option = "--algorithm", is = "ppo")
        @Bounds(atLeast = 0)
        @Option(
            names = "--vf-coef",
            paramLabel = "X",
            defaultValue = "0.1",
            description = "Weight of the error of values.")
        double vfCoef,
    @Bounds(atLeast = 0)
        @Option(
            names = "--entropy-coef",
            paramLabel = "X",
            defaultValue = "0",
            description = "Weight of the entropy, which is raised.")
        double entropyCoef,
    @OnlyWith(option = "--algorithm", is = "ppo")
        @Option(
            names = "--whiten",
            defaultValue = "advantages",
            description =
                "What is brought to variance 1 over an update: advantages, shaped rewards, both, or"
                    + " nothing.")
        Whiten whiten,
    @OnlyWith(option = "--algorithm", is = "ppo")
        @Option(
            names = "--whiten-variance",
            defaultValue = "bessel",
            description =
                "The variance of whitening: that of TRL, by n - 1, or that of OpenAI, by n.")
        Whitening whitenVariance,
    @Bounds(atLeast = 0, below = 1)
        @Option(
            names = "--ema-decay",
            paramLabel = "X",
            defaultValue = "0",
            description =
                "Decay of an average of the weights over updates, which is then the result; 0:"
                    + " none.")
        double emaDecay,
    @OnlyWith(option = "--algorithm", is = "ppo")
        @Option(
            names = "--value-model",
            paramLabel = "DIR",
            description =
                "Directory of a reward model or of its adapter, with the policy's tokenizer, that a"
                    + " value network of its own begins from and is trained as the policy is."
                    + " Default: a value head on the policy.")
        Optional<String> valueModel,
    @Option(
            names = "--ref-model",
            paramLabel = "DIR_OR_GGUF",
            description =
                "Model that the policy is held near to. Default: the policy without its adapters,"
                    + " or a copy of --model.")
        Optional<String> refModel) {
  /** Named setters over the declared defaults. */
  public static UpdateOptionsBuilder builder() {
    return UpdateOptionsBuilder.builder(OptionsBinder.defaults(UpdateOptions.class));
  }
}
