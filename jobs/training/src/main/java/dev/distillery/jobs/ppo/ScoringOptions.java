package dev.distillery.jobs.ppo;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.model.rl.MissingEnd;
import dev.distillery.model.rl.ScoreRules;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What answers are rewarded for.
 *
 * @param reward a reward function by its name, perhaps with an argument (count:e=1), or an endpoint
 *     in the form of OpenRLHF by its URL. May be given again: the weighted sum counts
 * @param rewardBaseline taken from every score
 * @param scoreScaling whether scores are divided by the deviation of all so far (scale), and their
 *     mean taken off first (normalize)
 * @param scoreClip scores are clipped to this far from 0; 0 clips nothing
 * @param missingEos what the score of an answer without an end becomes: minus the penalty, less by
 *     the penalty, or what it is
 * @param missingEosPenalty the penalty of an answer without an end
 */
@WithBuilder
public record ScoringOptions(
    @Option(
            names = "--reward",
            paramLabel = "NAME_OR_URL=WEIGHT",
            description =
                "A reward function by its name, perhaps with an argument (count:e=1), or an endpoint in the form of OpenRLHF by its URL. May be given again: the weighted sum counts.")
        List<String> reward,
    @Option(
            names = "--reward-baseline",
            paramLabel = "X",
            defaultValue = "0",
            description = "Taken from every score.")
        double rewardBaseline,
    @Option(
            names = "--score-scaling",
            defaultValue = "off",
            description =
                "Whether scores are divided by the deviation of all so far (scale), and their mean taken off first (normalize).")
        ScoreRules.Scaling scoreScaling,
    @Bounds(atLeast = 0)
        @Option(
            names = "--score-clip",
            paramLabel = "X",
            defaultValue = "0",
            description = "Scores are clipped to this far from 0; 0 clips nothing.")
        double scoreClip,
    @Option(
            names = "--missing-eos",
            description =
                "What the score of an answer without an end becomes: minus the penalty, less by the penalty, or what it is. Default: replace; with grpo off, as a group's answers are measured by each other.")
        Optional<MissingEnd> missingEos,
    @Bounds(atLeast = 0)
        @Option(
            names = "--missing-eos-penalty",
            paramLabel = "X",
            defaultValue = "1",
            description = "The penalty of an answer without an end.")
        double missingEosPenalty) {
  /** Named setters over the declared defaults. */
  public static ScoringOptionsBuilder builder() {
    return ScoringOptionsBuilder.builder(OptionsBinder.defaults(ScoringOptions.class));
  }
}
