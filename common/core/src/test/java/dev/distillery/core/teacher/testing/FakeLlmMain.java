package dev.distillery.core.teacher.testing;

import java.io.IOException;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs {@link FakeLlmServer} as a process of its own. Prints {@code PORT n}, then serves until it
 * is ended.
 *
 * <p>Options, each with a value:
 *
 * <ul>
 *   <li>{@code --port}: 0 for a free one, the default
 *   <li>{@code --latency-ms}: of every answer, default 0
 *   <li>{@code --error-rate, --never-rate, --cut-off-rate, --malformed-rate}: share of requests, in
 *       [0, 1], that get a 500, no answer, half a body, broken JSON; drawn from id and time, so
 *       that a repeat may fare better
 *   <li>{@code --burst-every-ms, --burst-ms}: in every so many milliseconds, the last so many, all
 *       get 429
 *   <li>{@code --retry-after}: what a 429 says: {@code none, seconds, ms} or {@code date}
 *   <li>{@code --requests-per-minute}: above it, in a sliding minute, 429; default none
 *   <li>{@code --key}: refuse every other bearer key
 *   <li>{@code --quota}: after so many requests every one gets insufficient_quota
 *   <li>{@code --seed}: of the draws, default 0
 *   <li>{@code --exit-with-parent true}: end when standard input ends
 * </ul>
 */
public final class FakeLlmMain {
  private static final Set<String> OPTIONS =
      Set.of(
          "--port",
          "--latency-ms",
          "--error-rate",
          "--never-rate",
          "--cut-off-rate",
          "--malformed-rate",
          "--burst-every-ms",
          "--burst-ms",
          "--retry-after",
          "--requests-per-minute",
          "--key",
          "--quota",
          "--seed",
          "--exit-with-parent");

  private FakeLlmMain() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Map<String, String> options = options(args);
    var server =
        FakeLlmServer.start(Integer.parseInt(options.getOrDefault("--port", "0")), script(options));
    System.out.println("PORT " + server.port());
    if (options.containsKey("--exit-with-parent")) {
      while (System.in.read() >= 0) {
        // Only the end of the input matters.
      }
      System.exit(0);
    }
    Thread.currentThread().join();
  }

  private static Map<String, String> options(String[] args) {
    var options = new HashMap<String, String>();
    for (int i = 0; i < args.length; i += 2) {
      if (!OPTIONS.contains(args[i]) || i + 1 == args.length) {
        throw new IllegalArgumentException("Unknown option or no value: " + args[i]);
      }
      options.put(args[i], args[i + 1]);
    }
    return options;
  }

  /** The script that the options describe. */
  static FakeScript script(Map<String, String> options) {
    Duration latency = Duration.ofMillis((long) number(options, "--latency-ms"));
    long seed = (long) number(options, "--seed");
    long quota = options.containsKey("--quota") ? (long) number(options, "--quota") : -1;
    long burstEvery = (long) number(options, "--burst-every-ms");
    long burstLength = (long) number(options, "--burst-ms");
    String retryAfter = options.getOrDefault("--retry-after", "seconds");
    var window = new SlidingMinute((int) number(options, "--requests-per-minute"));
    var seen = new AtomicLong();
    FakeScript good = FakeScript.echo();
    return request -> {
      long place = seen.getAndIncrement();
      String key = options.getOrDefault("--key", "");
      if (!key.isEmpty() && !request.authorization().equals("Bearer " + key)) {
        return FakeAnswer.badKey();
      }
      if (!FakeLlmServer.MODELS.contains(request.model())) {
        return FakeAnswer.unknownModel(request.model());
      }
      if (quota >= 0 && place >= quota) {
        return FakeAnswer.insufficientQuota();
      }
      boolean burst =
          burstEvery > 0 && request.arrivalMillis() % burstEvery >= burstEvery - burstLength;
      if (burst || !window.admits(request)) {
        return wait(FakeAnswer.rateLimited(), retryAfter);
      }
      double draw = request.draw("fault", seed);
      double errors = number(options, "--error-rate");
      double nevers = errors + number(options, "--never-rate");
      double cuts = nevers + number(options, "--cut-off-rate");
      double malformed = cuts + number(options, "--malformed-rate");
      if (draw < errors) {
        return FakeAnswer.serverError().after(latency);
      }
      if (draw < nevers) {
        return FakeAnswer.never();
      }
      FakeAnswer answer = good.answer(request).after(latency);
      return draw < cuts ? answer.cutOff() : draw < malformed ? answer.malformed() : answer;
    };
  }

  private static FakeAnswer wait(FakeAnswer answer, String form) {
    return switch (form) {
      case "none" -> answer;
      case "seconds" -> answer.withHeader("Retry-After", "1");
      case "ms" -> answer.withHeader("Retry-After-Ms", "250");
      case "date" ->
          answer.withHeader(
              "Retry-After",
              ZonedDateTime.now(ZoneOffset.UTC)
                  .plusSeconds(1)
                  .format(DateTimeFormatter.RFC_1123_DATE_TIME));
      default -> throw new IllegalArgumentException("Unknown --retry-after " + form);
    };
  }

  private static double number(Map<String, String> options, String name) {
    return Double.parseDouble(options.getOrDefault(name, "0"));
  }

  /** Admits so many requests in any minute; a refused one does not count. */
  private static final class SlidingMinute {
    private final int limit;
    private final Deque<Long> admitted = new ArrayDeque<>();

    SlidingMinute(int limit) {
      this.limit = limit;
    }

    synchronized boolean admits(FakeRequest request) {
      if (limit == 0) {
        return true;
      }
      long now = request.arrivalMillis();
      while (!admitted.isEmpty() && admitted.peekFirst() <= now - 60_000) {
        admitted.removeFirst();
      }
      if (admitted.size() >= limit) {
        return false;
      }
      admitted.addLast(now);
      return true;
    }
  }
}
