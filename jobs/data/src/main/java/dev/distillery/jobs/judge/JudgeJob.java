package dev.distillery.jobs.judge;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.jobs.judge.AnswerSets.Match;
import dev.distillery.jobs.judge.JudgeFigures.Tally;
import dev.distillery.spark.fanout.Fanout;
import dev.distillery.spark.fanout.FanoutStop;
import dev.distillery.spark.fanout.PartedRequests;
import dev.distillery.spark.fanout.RequestPlan;
import dev.distillery.spark.fanout.TeacherAccess;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.SmallFiles;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * Job `judge`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * TeacherOptions teacher = TeacherOptions.builder().teacher(TeacherKind.GGUF).build();
 * JudgeOptions options =
 *     JudgeOptions.builder().teacher(teacher).input(List.of("mine.jsonl")).form(JudgeForm.SINGLE).build();
 * JudgeSummary summary = new JudgeJob().run(spark, options);
 * System.out.println(summary.results().get("mean_score"));
 * }</pre>
 */
public final class JudgeJob implements Job<JudgeOptions, JudgeSummary> {
  @Override
  public String name() {
    return "judge";
  }

  @Override
  public String purpose() {
    return "Let any teacher judge which of two sets of answers is better, or grade one.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Joins two sets of answers by id and asks a judge which of each two is better, in both
        orders, or grades one set. A verdict is the reply's last [[A]], [[B]], [[C]] or [[grade]];
        a reply without one, or that is cut, is counted and in no rate. Replies are in the run's
        ledger as they come; a run that is given the same --run-id again asks only for the rest.
        """,
        "completions, instructions, or files with id, prompt or instruction, and text, output or"
            + " answer.",
        "judgements, with --preferences also preferences, completions (the judge's replies),"
            + " rejects (ids that only one input has an answer of, answers that call tools,"
            + " verdicts that cannot be read, replies that are cut, requests that failed),"
            + " duplicates (rows that equal another).",
        "distillery judge --input completions@student --against completions@teacher --teacher"
            + " openai --model gpt-4o --max-cost-usd 5");
  }

  @Override
  public Class<JudgeOptions> optionsType() {
    return JudgeOptions.class;
  }

  @Override
  public Class<JudgeSummary> summaryType() {
    return JudgeSummary.class;
  }

  @Override
  public RunOptions runOptions(JudgeOptions options) {
    return options.run();
  }

  @Override
  public void check(JudgeOptions options) {
    prompt(options, SparkHadoopUtil.get().conf());
  }

  @Override
  public Map<String, String> contents(JudgeOptions options, Configuration hadoop) {
    Map<String, String> contents = new TreeMap<>();
    contents.put("judge-prompt content", StableIds.of(prompt(options, hadoop).template().text()));
    TeacherAccess.fingerprint(options.teacher())
        .ifPresent(hash -> contents.put("model content", hash));
    return contents;
  }

  private static JudgePrompt prompt(JudgeOptions options, Configuration hadoop) {
    return JudgePrompt.of(
        options,
        options.judgePrompt().map(file -> SmallFiles.read("--judge-prompt", file, hadoop)));
  }

  @Override
  public List<TableRef> inputs(JudgeOptions options) {
    return TableRef.parse(
        Stream.of(
                options.input(),
                options.against(),
                options.difficulties(),
                options.human(),
                options.reuseCompletions())
            .flatMap(List::stream)
            .toList());
  }

  @Override
  public Outcome<JudgeSummary> perform(JobRun run, JudgeOptions options) {
    var questions = Questions.of(options, prompt(options, run.warehouse().hadoop()));
    try (AnswerSets answers = AnswerSets.read(run, options)) {
      return new Judging(run, options, questions, answers, answers.match()).judge();
    }
  }

  /** One run, once its inputs are joined. */
  private record Judging(
      JobRun run, JudgeOptions options, Questions questions, AnswerSets answers, Match match) {

    Outcome<JudgeSummary> judge() {
      Dataset<String> requests =
          answers.judged().flatMap(new MakeRequests(questions), Encoders.STRING());
      if (match.promptsDiffer() > 0) {
        run.progress()
            .say(
                "Warning: "
                    + match.promptsDiffer()
                    + " pairs were asked different things; the judge is shown the prompt of"
                    + " --input");
      }
      if (match.judged() == 0 || match.share() < options.minMatched()) {
        return Outcome.stopped(ExitCode.INVALID, unmatched(), plan(requests));
      }
      LengthControl.check(run, options, answers.judged());
      Optional<HumanVotes> human =
          Optional.of(options.human())
              .filter(refs -> !refs.isEmpty())
              .map(refs -> HumanVotes.read(run, refs));
      if (run.dryRun()) {
        return TeacherAccess.tried(run, options.teacher(), plan(requests));
      }
      return ask(PartedRequests.of(run, requests, options.reuseCompletions()), human);
    }

    private String unmatched() {
      Map<String, Long> why = answers.whyNot();
      return match.judged()
          + " of "
          + match.ids()
          + " ids can be judged"
          + (match.judged() == 0
              ? ""
              : ", less than --min-matched " + options.minMatched() + " asks for")
          + "; of the others are "
          + why
          + named(" only in --input: ", match.inputIds())
          + named(" only in --against: ", match.againstIds())
          + "; nothing was asked: complete the inputs"
          + (match.judged() == 0 ? "" : ", or lower --min-matched");
    }

    private static String named(String where, List<String> ids) {
      return ids.isEmpty() ? "" : "," + where + ids;
    }

    private Outcome<JudgeSummary> ask(PartedRequests requests, Optional<HumanVotes> human) {
      long asked = requests.count();
      long reused = requests.reused();
      try (Fanout fanout = TeacherAccess.open(run, options.teacher())) {
        FanoutStop stop = null;
        try {
          fanout.ask(requests.open(), run.progress());
        } catch (JobException e) {
          stop = fanout.stopped().orElseThrow(() -> e);
          if (!run.publishesPartial()) {
            return Outcome.stopped(
                stop.exitCode(), stop.message(), summary(asked, reused, fanout, Map.of()));
          }
        }
        Dataset<Row> licenses = answers.judged().select("id", "source", "license");
        run.write(
            Tables.COMPLETIONS,
            requests
                .completions(fanout)
                .drop("source", "license")
                .join(licenses, new String[] {"id"}, "left"));
        Dataset<Row> judged =
            ReadReplies.of(questions, answers.judged(), run.staged(Tables.COMPLETIONS.name()))
                .persist(StorageLevel.MEMORY_AND_DISK());
        try {
          var figures =
              new TreeMap<>(JudgeFigures.of(options.form(), questions.criteria(), tallies(judged)));
          if (options.form() == JudgeForm.ALPACA_EVAL) {
            figures.putAll(LengthControl.of(run, options, questions.criteria(), judged));
          }
          human.ifPresent(votes -> figures.putAll(votes.figures(questions.criteria(), judged)));
          RowAccount account = write(judged, stop != null);
          JudgeSummary summary = summary(asked, reused, fanout, figures);
          return stop == null
              ? Outcome.done(summary, account)
              : Outcome.stopped(stop.exitCode(), stop.message(), summary).with(account);
        } finally {
          judged.unpersist();
        }
      }
    }

    /** Writes the tables; an id that has a verdict by any criterion is kept. */
    private RowAccount write(Dataset<Row> judged, boolean stopped) {
      Dataset<Row> verdicts = judged.where(col("rule").isNull());
      run.write(Tables.JUDGEMENTS, verdicts.drop("rule", "detail"));
      if (options.preferences()) {
        run.write(Tables.PREFERENCES, Preferences.of(verdicts));
      }
      Row ids =
          judged
              .groupBy("id")
              .agg(count_if(col("rule").isNull()).as("verdicts"))
              .agg(count_if(col("verdicts").gt(0)), count_if(col("verdicts").equalTo(0)))
              .head();
      Dataset<Row> rejects =
          reject(answers.others(), answers.rule(), answers.detail())
              .unionByName(
                  reject(judged.where(col("rule").isNotNull()), col("rule"), col("detail")));
      Map<String, Long> byRule =
          rejects.isEmpty()
              ? Map.of()
              : run.reject(rejects, col("rule"), col("detail"), col("row"));
      long equal = match.further() == 0 ? 0 : run.write(Tables.DUPLICATES, answers.duplicates());
      long kept = ids.getLong(0);
      long rejected = match.ids() - match.judged() + ids.getLong(1);
      RowAccount account =
          RowAccount.of("ids", match.ids() + match.further(), kept)
              .duplicates(equal)
              .rejects(rejected, byRule);
      return stopped ? account.leftOver(match.ids() - kept - rejected) : account;
    }

    private static Dataset<Row> reject(Dataset<Row> rows, Column rule, Column detail) {
      return rows.select(
          col("id"), rule.as("rule"), detail.as("detail"), to_json(struct("*")).as("row"));
    }

    private static List<Tally> tallies(Dataset<Row> judged) {
      return judged
          .groupBy(
              col("criterion"),
              col("rule"),
              col("verdict"),
              col("score"),
              col("shown_first"),
              col("label").getItem("a_first").as("a_first"),
              col("label").getItem("b_first").as("b_first"))
          .agg(count(lit(1)).as("count"))
          .collectAsList()
          .stream()
          .map(
              row ->
                  new Tally(
                      row.getAs("criterion"),
                      row.getAs("rule"),
                      row.getAs("verdict"),
                      row.getAs("score"),
                      row.getAs("shown_first"),
                      row.getAs("a_first"),
                      row.getAs("b_first"),
                      row.getAs("count")))
          .toList();
    }

    private JudgeSummary plan(Dataset<String> requests) {
      var parted = PartedRequests.of(run, requests, options.reuseCompletions());
      RequestPlan.Counted asked = RequestPlan.of(parted.open(), options.teacher());
      long reused = parted.reused();
      return summary(
          asked.requests() + reused,
          Optional.of(reused),
          Optional.empty(),
          Optional.of(asked.plan()),
          Map.of());
    }

    private JudgeSummary summary(
        long requests, long reused, Fanout fanout, Map<String, Number> figures) {
      return summary(requests, Optional.of(reused), Optional.of(fanout), Optional.empty(), figures);
    }

    private JudgeSummary summary(
        long requests,
        Optional<Long> reused,
        Optional<Fanout> fanout,
        Optional<RequestPlan> plan,
        Map<String, Number> figures) {
      Optional<Match> compared = Optional.of(match).filter(m -> options.form().compares());
      return new JudgeSummary(
          run.summary(),
          match.ids(),
          compared.map(Match::judged),
          compared.map(Match::onlyInInput),
          compared.map(Match::onlyInAgainst),
          compared.map(Match::promptsDiffer),
          requests,
          reused,
          fanout.map(Fanout::figures),
          plan,
          match.inputIds(),
          match.againstIds(),
          answers.models(),
          figures);
    }
  }
}
