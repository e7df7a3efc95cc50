package dev.distillery.jobs.rate;

import dev.distillery.core.run.JobException;
import dev.distillery.jobs.rate.RatingServer.Served;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.Tables;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Shows items to many raters until each has its ratings, or the run is told to end. */
final class Serving {
  /** Whoever gave the last vote may still change it. */
  private static final long LINGER_MILLIS = 60_000;

  private static final long TICK_MILLIS = 200;

  /** More items than that are no work for people. */
  private static final int MOST_ITEMS = 20_000;

  private final JobRun run;
  private final RateOptions options;
  private final Optional<String> guidelines;

  Serving(JobRun run, RateOptions options, Optional<String> guidelines) {
    this.run = run;
    this.options = options;
    this.guidelines = guidelines;
  }

  Outcome<RateSummary> serve() throws IOException {
    List<RatingItem> items = items();
    if (run.dryRun()) {
      return Outcome.done(summary(items.size(), 0));
    }
    Path file = Path.of(options.votes().orElseThrow());
    Path links = RaterTokens.beside(file);
    try (var part = run.stop().endsItself();
        VoteLog log = VoteLog.open(file)) {
      RaterTokens tokens = RaterTokens.of(links, options.raters());
      var served =
          new Served(
              items,
              RatingPage.served(items.get(0).form(), guidelines),
              RatingPage.sides(items, RatingKey.of(run.warehouse())),
              tokens,
              options.ratingsPerItem());
      try (RatingServer server = start(served, log, tokens.port())) {
        tokens.write(links, server.address());
        run.progress()
            .say(
                "Raters open their links, which stand in "
                    + links
                    + "; served at "
                    + server.address()
                    + " until each item has "
                    + options.ratingsPerItem()
                    + " ratings, or SIGTERM");
        wait(server);
        long open = server.open();
        return Outcome.done(
            summary(items.size(), server.votes()),
            RowAccount.of("items", items.size(), items.size() - open).leftOver(open));
      }
    }
  }

  /** Starts where the links lead that raters have, if that port is as good as any and free. */
  private RatingServer start(Served served, VoteLog log, OptionalInt before) {
    if (options.port() == 0 && before.isPresent()) {
      try {
        return RatingServer.start(
            served, log, options.host(), before.getAsInt(), Clock.systemUTC());
      } catch (JobException e) {
        run.progress().say("The links change: " + e.getMessage());
      }
    }
    return RatingServer.start(served, log, options.host(), options.port(), Clock.systemUTC());
  }

  private void wait(RatingServer server) {
    long lingered = 0;
    while (!run.stop().requested() && lingered < LINGER_MILLIS) {
      try {
        Thread.sleep(TICK_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
      lingered = server.open() == 0 ? lingered + TICK_MILLIS : 0;
    }
  }

  private List<RatingItem> items() {
    Dataset<Row> rows = run.inputs(options.input(), Tables.RATING_ITEMS);
    ItemDraw.bounded(rows, "--input " + options.input());
    List<RatingItem> items =
        rows.limit(MOST_ITEMS + 1).collectAsList().stream()
            .map(RatingItem::of)
            .sorted(Comparator.comparing(RatingItem::id))
            .toList();
    if (items.isEmpty() || items.size() > MOST_ITEMS) {
      throw JobException.invalid(
          "Option --input: expected 1 to "
              + MOST_ITEMS
              + " items, found "
              + (items.isEmpty() ? "none" : "more")
              + " in "
              + options.input());
    }
    if (items.stream().map(RatingItem::form).distinct().count() > 1
        || items.stream().map(RatingItem::id).distinct().count() < items.size()) {
      throw JobException.invalid(
          "Option --input: expected the items of one page, each once, in " + options.input());
    }
    return items;
  }

  private RateSummary summary(long items, long votes) {
    return new RateSummary(
        run.summary(),
        items,
        Optional.empty(),
        Optional.of(votes),
        Optional.empty(),
        List.of(),
        List.of(),
        List.of(),
        Map.of());
  }
}
