package dev.distillery.jobs.rate;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.PathNames;
import dev.distillery.spark.warehouse.SmallFiles;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Encoders;

/**
 * Job `rate`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * RateOptions options =
 *     RateOptions.builder().input(List.of("rating_items@page")).collect(List.of("ratings-ann.jsonl")).build();
 * RateSummary summary = new RateJob().run(spark, options);
 * System.out.println(summary.results().get("win_rate"));
 * }</pre>
 */
public final class RateJob implements Job<RateOptions, RateSummary> {
  @Override
  public String name() {
    return "rate";
  }

  @Override
  public String purpose() {
    return "Let people rate answers: make the page that they see, and take back what they said.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Makes one self-contained page on which people rate answers by keyboard, blindly: which
        answer is whose stands in the table rating_items and not on the page. Progress stays in the
        rater's browser; what a rater exports is a file with a line a vote. With --collect such
        files become tables, and figures: win rates with intervals, agreement of raters, ratings of
        models, each rater's speed and attention. With --serve a small server gives the page to many
        raters, each by a link of one's own, and each item to so many of them; every vote is in the
        file that --votes names before it is acknowledged.
        """,
        "completions, instructions, or files with id, prompt or instruction, and text, output or"
            + " answer; with --serve rating_items; with --collect rating_items and files of votes.",
        "rating_items and a page; with --serve a file of votes; with --collect judgements, of"
            + " rankings preferences too, of demonstrations instructions instead, rejects (votes"
            + " that cannot be read or that their items do not take), duplicates (a rater's earlier"
            + " votes on an item).",
        "distillery rate --input completions@student --against completions@teacher --output"
            + " page.html --run-id page",
        "distillery rate --serve --input rating_items@page --raters ann,ben,cat --ratings-per-item"
            + " 2 --votes votes.jsonl",
        "distillery rate --collect 'ratings-*.jsonl' --input rating_items@page");
  }

  @Override
  public Class<RateOptions> optionsType() {
    return RateOptions.class;
  }

  @Override
  public Class<RateSummary> summaryType() {
    return RateSummary.class;
  }

  @Override
  public RunOptions runOptions(RateOptions options) {
    return options.run();
  }

  @Override
  public void check(RateOptions options) {
    var unused = guidelines(options, SparkHadoopUtil.get().conf());
  }

  @Override
  public Map<String, String> contents(RateOptions options, Configuration hadoop) {
    return guidelines(options, hadoop)
        .map(text -> Map.of("guidelines content", StableIds.of(text)))
        .orElse(Map.of());
  }

  private static Optional<String> guidelines(RateOptions options, Configuration hadoop) {
    return options.guidelines().map(file -> SmallFiles.read("--guidelines", file, hadoop));
  }

  @Override
  public List<TableRef> inputs(RateOptions options) {
    return Stream.concat(
            TableRef.parse(
                Stream.of(options.input(), options.against(), options.attention())
                    .flatMap(List::stream)
                    .toList())
                .stream(),
            options.collect().stream().map(TableRef.Files::new))
        .toList();
  }

  @Override
  public Outcome<RateSummary> perform(JobRun run, RateOptions options) throws IOException {
    return switch (options.mode()) {
      case MAKE -> make(run, options);
      case SERVE ->
          new Serving(run, options, guidelines(options, run.warehouse().hadoop())).serve();
      case COLLECT -> new Collecting(run, options).collect();
    };
  }

  private static Outcome<RateSummary> make(JobRun run, RateOptions options) throws IOException {
    Configuration hadoop = run.warehouse().hadoop();
    Path output = PathNames.path(options.output().orElseThrow());
    FileSystem files = output.getFileSystem(hadoop);
    if (run.dryRun() && !run.overwrites() && files.exists(output)) {
      throw isThere(output);
    }
    try (ItemDraw draw = ItemDraw.of(run, options)) {
      ItemDraw.Counts counts = draw.counts();
      long kept = Math.min(counts.fit(), options.numItems());
      if (counts.promptsDiffer() > 0) {
        run.progress()
            .say(
                "Warning: the rows of "
                    + counts.promptsDiffer()
                    + " ids were asked different things; raters are shown the prompt of "
                    + (options.form() == RateForm.PAIRWISE ? "--input" : "one of them"));
      }
      if (run.dryRun()) {
        return Outcome.done(summary(run, kept, Optional.empty(), counts));
      }
      if (kept == 0) {
        throw new JobException(
            ExitCode.INVALID,
            "None of "
                + counts.all()
                + " ids can be rated with --form "
                + options.form().word()
                + ": "
                + draw.why()
                + "; name answers under the same ids");
      }
      RatingKey key = RatingKey.of(run.warehouse());
      List<RatingItem> items = draw.drawn(key);
      String page =
          options.format() == RateFormat.HTML
              ? RatingPage.alone(items, key, guidelines(options, hadoop))
              : ImportFiles.of(options.format(), items);
      byte[] bytes = page.getBytes(StandardCharsets.UTF_8);
      // An earlier try of the run may have come so far.
      boolean there = files.exists(output) && holds(files, output, bytes);
      if (!there && files.exists(output)) {
        if (files.getFileStatus(output).isDirectory()) {
          throw JobException.invalid("Option --output: " + output + " is a folder; name a file");
        }
        if (!run.overwrites()) {
          throw isThere(output);
        }
      }
      run.write(
          Tables.RATING_ITEMS,
          run.spark()
              .createDataset(
                  items.stream().map(RatingItem::toRow).toList(),
                  Encoders.row(Tables.RATING_ITEMS.schema())));
      long unfit = counts.all() - counts.fit();
      Map<String, Long> rejects = unfit == 0 ? Map.of() : draw.reject();
      if (!there) {
        SmallFiles.write(output, page, hadoop);
      }
      run.progress()
          .say(
              (options.format() == RateFormat.HTML ? "The page: " : "The file: ")
                  + output
                  + "; raters must not see the table rating_items, which tells whose answer is"
                  + " which");
      return Outcome.done(
          summary(run, items.size(), options.output(), counts),
          RowAccount.of("ids", counts.all(), kept).rejects(rejects).leftOver(counts.fit() - kept));
    }
  }

  private static JobException isThere(Path output) {
    return JobException.invalid(
        "Option --output: "
            + output
            + " is there already; choose another, or give --overwrite to replace it");
  }

  private static boolean holds(FileSystem files, Path path, byte[] bytes) throws IOException {
    FileStatus status = files.getFileStatus(path);
    if (!status.isFile() || status.getLen() != bytes.length) {
      return false;
    }
    try (var in = files.open(path)) {
      return Arrays.equals(in.readAllBytes(), bytes);
    }
  }

  private static RateSummary summary(
      JobRun run, long items, Optional<String> page, ItemDraw.Counts counts) {
    return new RateSummary(
        run.summary(),
        items,
        page,
        Optional.empty(),
        Optional.empty(),
        List.of(),
        List.of(),
        List.of(),
        Map.of("prompts_differ", counts.promptsDiffer()));
  }
}
