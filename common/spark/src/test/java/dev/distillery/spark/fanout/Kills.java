package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.testing.FakeLlmProcess;
import dev.distillery.core.teacher.testing.RequestLog;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

/**
 * Kills (as {@code kill -9} does) a process that asks a server, at random moments, starts it again
 * each time, lets the last one end, and compares what the server saw with what the ledger has.
 */
public final class Kills {
  private static final int LATENCY_MILLIS = 50;
  private static final int CONCURRENCY = 16;
  private static final int MOST_BEFORE_A_KILL = 250;
  private static final int REQUESTS_A_KILL = 200;

  private Kills() {}

  /**
   * What was seen.
   *
   * @param kills processes that were killed while they asked
   * @param concurrency requests at once
   * @param asked requests that were to be answered
   * @param seen requests that the server saw and billed
   * @param distinct those of them with an id of their own
   * @param completions requests that have an answer in the ledger at the end
   * @param repliesInLedger answers in the ledger, of all attempts
   * @param bookedAsLost what the last process counted as lost at the kills
   * @param lostAtAKill for each kill, requests that were sent before it and had to be asked again
   * @param oldestLostMillis the longest time between the arrival of such a request and the latest
   *     arrival before its kill; at the server's own latency its answer had left
   */
  public record Result(
      int kills,
      int concurrency,
      long asked,
      long seen,
      long distinct,
      long completions,
      long repliesInLedger,
      long bookedAsLost,
      List<Integer> lostAtAKill,
      long oldestLostMillis) {
    /** Requests that had to be asked again, after all kills. */
    public long lost() {
      return lostAtAKill.stream().mapToInt(Integer::intValue).sum();
    }

    /** The most that one kill lost. */
    public int most() {
      return lostAtAKill.stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    /**
     * What does not hold; empty where all does. At a kill may be lost what is with the server, as
     * many as may be at once, and what its answers have freed while the writer was busy: no more
     * than as many again.
     */
    public List<String> broken() {
      var broken = new ArrayList<String>();
      if (distinct != asked || completions != asked) {
        broken.add("not every request has one answer in the ledger");
      }
      if (seen != repliesInLedger + lost() - repliesTwice()) {
        broken.add("the server answered more than the ledger and the kills account for");
      }
      if (most() > 2 * concurrency) {
        broken.add("a kill lost more than was on the wire");
      }
      if (bookedAsLost < lost()) {
        broken.add("the summary tells of fewer lost requests than there were");
      }
      return broken;
    }

    /** Replies that the ledger has beside another one to the same request. */
    private long repliesTwice() {
      return repliesInLedger - completions;
    }
  }

  /**
   * Kills so many processes.
   *
   * @param ledger URI of the folder of ledgers
   * @param folder for the logs
   */
  public static Result run(int kills, long seed, String ledger, Path folder, PrintStream out)
      throws IOException, InterruptedException {
    var random = new Random(seed);
    long count = (long) REQUESTS_A_KILL * (kills + 1);
    var ends = new ArrayList<Integer>();
    try (FakeLlmProcess server = FakeLlmProcess.start("--latency-ms", "" + LATENCY_MILLIS)) {
      for (int kill = 0; kill < kills; kill++) {
        Process asking = start(server, ledger, count, folder.resolve("kill-" + kill + ".log"));
        int before = requests(server);
        int enough = before + 1 + random.nextInt(MOST_BEFORE_A_KILL);
        while (asking.isAlive() && requests(server) < enough) {
          TimeUnit.MILLISECONDS.sleep(5);
        }
        TimeUnit.MILLISECONDS.sleep(random.nextInt(LATENCY_MILLIS));
        boolean living = asking.isAlive();
        asking.destroyForcibly().waitFor();
        ends.add(awaitQuiet(server));
        if (!living) {
          throw new IllegalStateException(
              "The process ended before it was killed: "
                  + Files.readString(folder.resolve("kill-" + kill + ".log")));
        }
        out.printf(Locale.ROOT, "kill %d of %d at %d requests%n", kill + 1, kills, ends.get(kill));
      }
      Path log = folder.resolve("last.log");
      Process last = start(server, ledger, count, log);
      last.waitFor();
      String output = Files.readString(log);
      if (last.exitValue() != 0) {
        throw new IllegalStateException("The last process failed: " + output);
      }
      return compare(server.requests(), ends, count, output);
    }
  }

  private static Result compare(
      List<RequestLog.Entry> seen, List<Integer> ends, long count, String output) {
    var latest = new HashMap<String, Integer>();
    for (int i = 0; i < seen.size(); i++) {
      latest.put(seen.get(i).id(), i);
    }
    int[] lost = new int[ends.size()];
    long oldest = 0;
    int start = 0;
    for (int kill = 0; kill < ends.size(); kill++) {
      long last = 0;
      for (int i = start; i < ends.get(kill); i++) {
        last = Math.max(last, seen.get(i).arrivalMillis());
      }
      for (int i = start; i < ends.get(kill); i++) {
        if (latest.getOrDefault(seen.get(i).id(), i) > i) {
          lost[kill]++;
          oldest = Math.max(oldest, last - seen.get(i).arrivalMillis());
        }
      }
      start = ends.get(kill);
    }
    return new Result(
        ends.size(),
        CONCURRENCY,
        count,
        seen.size(),
        latest.size(),
        figure(output, "completions"),
        figure(output, "ledger_entries"),
        figure(output, "requests_lost_in_flight"),
        Arrays.stream(lost).boxed().toList(),
        oldest);
  }

  private static int requests(FakeLlmProcess server) {
    return server.stats().get("requests").asInt();
  }

  /** Requests that the server has seen, once no more come. */
  private static int awaitQuiet(FakeLlmProcess server) throws InterruptedException {
    int before = -1;
    int now = requests(server);
    while (now != before) {
      TimeUnit.MILLISECONDS.sleep(4L * LATENCY_MILLIS);
      before = now;
      now = requests(server);
    }
    return now;
  }

  private static Process start(FakeLlmProcess server, String ledger, long count, Path log)
      throws IOException {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--add-opens"))
        .forEach(command::add);
    command.addAll(
        List.of(
            "-Xmx1g",
            "-XX:+UseParallelGC",
            "-XX:TieredStopAtLevel=1",
            "-Dspark.master=local[2]",
            "-Dspark.ui.enabled=false",
            "-Dspark.driver.host=127.0.0.1",
            "-Dspark.driver.bindAddress=127.0.0.1",
            "-Dspark.plugins=" + FanoutPlugin.class.getName(),
            "-cp",
            System.getProperty("java.class.path"),
            ClusterDriver.class.getName(),
            "ledger=" + ledger,
            "url=" + server.baseUrl(),
            "count=" + count,
            "concurrency=" + CONCURRENCY));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start();
  }

  private static long figure(String output, String name) {
    var matcher = Pattern.compile(name + "=(\\d+)").matcher(output);
    if (!matcher.find()) {
      throw new IllegalStateException("No " + name + " in " + output);
    }
    return Long.parseLong(matcher.group(1));
  }

  /** Arguments: how many, the seed. Exits with 1 where something does not hold. */
  public static void main(String[] args) throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("kills");
    long seed = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime();
    System.out.println("seed " + seed + ", logs in " + folder);
    Result result =
        run(
            Integer.parseInt(args[0]),
            seed,
            folder.resolve("ledger").toUri().toString(),
            folder,
            System.out);
    System.out.println(result);
    System.out.printf(
        "asked again: %d of %d, %d at most after one kill with %d at once%n",
        result.lost(), result.asked(), result.most(), result.concurrency());
    result.broken().forEach(what -> System.out.println("BROKEN: " + what));
    System.exit(result.broken().isEmpty() ? 0 : 1);
  }
}
