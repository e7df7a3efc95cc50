package dev.distillery.jobs.serve;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What a server counts, and its page for those who collect metrics. Safe for several threads. */
final class ServerFigures {
  private static final double NANOS = 1e9;

  /** Seconds: the upper ends of a histogram's classes. */
  private static final double[] CLASSES = {
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300
  };

  /** Times by class, the last of them without an end. */
  private static final class Histogram {
    private final long[] counts = new long[CLASSES.length + 1];
    private double sum;

    void add(double seconds) {
      int at = Arrays.binarySearch(CLASSES, seconds);
      counts[at < 0 ? -at - 1 : at]++;
      sum += seconds;
    }

    void write(StringBuilder page, String name, String help) {
      page.append(
          "# TYPE %s histogram%n# UNIT %s seconds%n# HELP %s %s%n"
              .formatted(name, name, name, help));
      long count = 0;
      for (int i = 0; i < counts.length; i++) {
        count += counts[i];
        String end = i < CLASSES.length ? Double.toString(CLASSES[i]) : "+Inf";
        page.append("%s_bucket{le=\"%s\"} %s%n".formatted(name, end, count));
      }
      page.append("%s_count %s%n".formatted(name, count));
      page.append(String.format(Locale.ROOT, "%s_sum %.6f%n", name, sum));
    }
  }

  private final Map<Integer, Long> answers = new TreeMap<>();
  private final Histogram firstTokens = new Histogram();
  private final Histogram whole = new Histogram();
  private long requests;
  private long inWork;
  private long left;
  private long done;
  private long promptTokens;
  private long writtenTokens;

  /** What was counted. */
  record Counts(
      long requests,
      long answered,
      long refused,
      long left,
      long promptTokens,
      long writtenTokens) {}

  synchronized Counts counts() {
    long refused =
        answers.entrySet().stream()
            .filter(answer -> answer.getKey() >= 400)
            .mapToLong(Map.Entry::getValue)
            .sum();
    return new Counts(requests, done, refused, left, promptTokens, writtenTokens);
  }

  /** A request that wants an answer of a student. */
  synchronized void request() {
    requests++;
    inWork++;
  }

  /** Such a request has ended, however. */
  synchronized void ended() {
    inWork--;
  }

  /** Requests in work. */
  synchronized long inWork() {
    return inWork;
  }

  /** Its client has gone before the end. */
  synchronized void left() {
    left++;
  }

  /** What was sent, of whatever request. */
  synchronized void status(int status) {
    answers.merge(status, 1L, Long::sum);
  }

  synchronized void firstToken(long nanos) {
    firstTokens.add(nanos / NANOS);
  }

  synchronized void answered(long nanos, int prompt, int written) {
    whole.add(nanos / NANOS);
    done++;
    promptTokens += prompt;
    writtenTokens += written;
  }

  /** The figures as OpenMetrics has them. */
  synchronized String page() {
    var page = new StringBuilder();
    page.append("# TYPE distillery_http_responses counter\n");
    page.append("# HELP distillery_http_responses Responses by status.\n");
    answers.forEach(
        (status, count) ->
            page.append(
                "distillery_http_responses_total{status=\"%s\"} %s%n".formatted(status, count)));
    counter(page, "requests", "Requests for answers.", requests);
    counter(page, "requests_left", "Requests whose client had gone.", left);
    counter(page, "prompt_tokens", "Tokens of answered prompts.", promptTokens);
    counter(page, "completion_tokens", "Tokens of answers.", writtenTokens);
    page.append("# TYPE distillery_requests_in_work gauge\n");
    page.append(
        "# HELP distillery_requests_in_work Requests that are read, wait or are answered.\n");
    page.append("distillery_requests_in_work ").append(inWork).append('\n');
    firstTokens.write(page, "distillery_first_token_seconds", "From a request to its first token.");
    whole.write(page, "distillery_answer_seconds", "From a request to the end of its answer.");
    return page.append("# EOF\n").toString().replace("\r\n", "\n");
  }

  private static void counter(StringBuilder page, String name, String help, long value) {
    page.append(
        "# TYPE distillery_%s counter\n# HELP distillery_%s %s\n".formatted(name, name, help));
    page.append("distillery_%s_total %s\n".formatted(name, value));
  }
}
