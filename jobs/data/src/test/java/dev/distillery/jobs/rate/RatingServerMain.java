package dev.distillery.jobs.rate;

import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/**
 * A server in a process of its own, without Spark: RatingServerMain FOLDER RATERS ITEMS RATINGS.
 */
final class RatingServerMain {
  private RatingServerMain() {}

  public static void main(String[] args) throws Exception {
    Path folder = Path.of(args[0]);
    List<String> raters = new ArrayList<>();
    for (int r = 0; r < Integer.parseInt(args[1]); r++) {
      raters.add("rater" + r);
    }
    List<RatingItem> items = new ArrayList<>();
    for (int i = 0; i < Integer.parseInt(args[2]); i++) {
      items.add(AssignmentsTest.item("item" + i, false));
    }
    RaterTokens tokens = RaterTokens.of(folder.resolve("links"), raters);
    var served =
        new RatingServer.Served(items, "<main>page</main>", "7", tokens, Integer.parseInt(args[3]));
    RatingServer server =
        RatingServer.start(
            served, VoteLog.open(folder.resolve("votes.jsonl")), "127.0.0.1", 0, Clock.systemUTC());
    tokens.write(folder.resolve("links"), server.address());
    System.out.println(server.address());
    new CountDownLatch(1).await();
  }
}
