package dev.distillery.jobs.judge;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.core.teacher.TeacherOptions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What job `judge` can be told.
 *
 * @param run what every job can be told
 * @param teacher which model judges, how fast, for how much
 * @param input the answers a
 * @param against the answers b
 * @param form how they are judged
 * @param criteria what they are judged by, each by itself; none is the answer as a whole
 * @param minMatched share of the ids that must be fit to be judged
 * @param judgePrompt file of a prompt in place of the packaged one
 * @param difficulties of instructions, for the length-controlled win rate
 * @param human what people said of the same answers
 * @param preferences whether verdicts become comparisons to learn from
 * @param temperature of the judge's sampling
 * @param reuseCompletions completions of other runs, taken where the request is the same
 */
@WithBuilder
public record JudgeOptions(
    RunOptions run,
    TeacherOptions teacher,
    @Required("name the answers that are judged")
        @Option(
            names = "--input",
            paramLabel = "REF",
            description =
                "The answers to be judged (a): completions, instructions, or files with the columns"
                    + " id, prompt or instruction (with input), and text, output or answer. May be"
                    + " given again.")
        List<String> input,
    @Option(
            names = "--against",
            paramLabel = "REF",
            description =
                "The answers that they are compared with (b), under the same ids. May be given"
                    + " again.")
        List<String> against,
    @Option(
            names = "--form",
            defaultValue = "pairwise",
            description =
                "pairwise: both orders are asked, and disagreement is a tie; single: each answer of"
                    + " --input gets a grade from 1 to 10; alpaca-eval: one order, drawn from the"
                    + " prompt, and equal answers are a tie unasked.")
        JudgeForm form,
    @Option(
            names = "--criteria",
            paramLabel = "A,B",
            split = ",",
            description =
                "What is judged by, such as helpful,harmless: each is asked for by itself and has"
                    + " its own verdicts and figures. Default: the answer as a whole.")
        List<String> criteria,
    @Tunable
        @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--min-matched",
            paramLabel = "SHARE",
            defaultValue = "1",
            description =
                "Share of all ids that must be fit to be judged: with a prompt and answers in both"
                    + " inputs (of --form single: an answer); below it nothing is asked.")
        double minMatched,
    @Option(
            names = "--judge-prompt",
            paramLabel = "FILE",
            description =
                "A prompt of your own, with {{prompt}}, {{first}} and {{second}} (single:"
                    + " {{answer}}), {{criterion}} with --criteria, and the form of the verdict:"
                    + " [[A]], [[B]], [[C]], or a grade such as [[5]].")
        Optional<String> judgePrompt,
    @OnlyWith(option = "--form", is = "alpaca-eval")
        @Option(
            names = "--difficulties",
            paramLabel = "REF",
            description =
                "Columns id and difficulty (AlpacaEval's instruction_difficulty) of every"
                    + " instruction: figure length_controlled_win_rate; without them it is"
                    + " length_controlled_minimal_win_rate. May be given again.")
        List<String> difficulties,
    @Option(
            names = "--human",
            paramLabel = "REF",
            description =
                "What people said of the same answers: the columns of judgements (id, verdict),"
                    + " MT-bench's (question_id, model_a, model_b, winner) or AlpacaEval's"
                    + " (instruction, output_1, output_2, preference). Figures human_agreement,"
                    + " human_kappa and others. May be given again.")
        List<String> human,
    @Option(
            names = "--preferences",
            defaultValue = "false",
            description =
                "Write the table preferences too, for reward and dpo: of each verdict for one side"
                    + " the better answer as chosen, the other as rejected. A tie makes none; with"
                    + " --criteria each makes one of its own.")
        boolean preferences,
    @Bounds(atLeast = 0)
        @Option(
            names = "--temperature",
            paramLabel = "X",
            defaultValue = "0",
            description = "0 is greedy.")
        double temperature,
    @Option(
            names = "--reuse-completions",
            paramLabel = "REF",
            description =
                "Completions that are paid for: taken where request and sample are the same. May be"
                    + " given again.")
        List<String> reuseCompletions)
    implements Validated {
  /** Most tokens of one reply where the user does not say. */
  static final int MAX_NEW_TOKENS = 1024;

  /** Named setters over the declared defaults. */
  public static JudgeOptionsBuilder builder() {
    return JudgeOptionsBuilder.builder(OptionsBinder.defaults(JudgeOptions.class));
  }

  @Override
  public List<String> violations() {
    List<String> violations =
        new ArrayList<>(teacher.costlierRequests("another --run-id", "--max-new-tokens"));
    if (form.compares() && against.isEmpty()) {
      violations.add("Option --against is required where answers are compared: name the others");
    }
    if (!form.compares() && !against.isEmpty()) {
      violations.add(
          "Option --against has no effect with --form single: grade each set in a run of its own");
    }
    if (!form.compares() && !human.isEmpty()) {
      violations.add(
          "Option --human has no effect with --form single: people's verdicts are of two answers");
    }
    if (!form.compares() && preferences) {
      violations.add(
          "Option --preferences has no effect with --form single: a preference is of two answers");
    }
    if (criteria.stream().anyMatch(String::isBlank)
        || new HashSet<>(criteria).size() < criteria.size()) {
      violations.add(
          "Option --criteria: expected different names, found '"
              + String.join(",", criteria)
              + "'; name each once");
    }
    return violations;
  }
}
