package dev.distillery.core.teacher;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.WithBuilder;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * How a teacher is reached, how fast, and for how much: the same in every job, whatever it calls
 * its models. Its rules across options are those of {@link TeacherOptions}.
 *
 * @param baseUrl of an OpenAI-compatible server
 * @param api which form of request a server is sent
 * @param apiKeyEnv environment variable of the driver that holds the key
 * @param apiKeyFile file that holds the key; takes the place of the variable
 * @param concurrency requests at once in the whole run
 * @param requestsPerMinute in every window of 60 seconds, whole run
 * @param tokensPerMinute in every window of 60 seconds, whole run
 * @param maxCostUsd budget of the run in US dollars
 * @param prices file of prices that stand over the packaged ones
 * @param maxRequests budget of the run in requests
 * @param maxTotalTokens budget of the run in tokens, read and written
 * @param extraBody JSON object merged into each HTTP body
 * @param requestTimeout longest time of one attempt
 * @param maxAttempts tries of one request; waiting on a rate limit is no try
 * @param maxWait longest time of waiting on a server that refuses, in all
 * @param maxFailureRatio share of requests that may fail for good
 */
@WithBuilder
public record TeacherAccessOptions(
    @Tunable
        @Option(
            names = "--base-url",
            paramLabel = "URL",
            defaultValue = "https://api.openai.com/v1",
            description = "Address of an OpenAI-compatible server, with its version.")
        String baseUrl,
    @Option(
            names = "--api",
            defaultValue = "chat",
            description = "Form of the requests to a server.")
        Api api,
    @Tunable
        @Option(
            names = "--api-key-env",
            paramLabel = "VAR",
            defaultValue = "OPENAI_API_KEY",
            description = "Environment variable of the driver that holds the key.")
        String apiKeyEnv,
    @Tunable
        @Option(
            names = "--api-key-file",
            paramLabel = "FILE",
            description = "File that holds the key, in place of the variable.")
        Optional<String> apiKeyFile,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--concurrency",
            paramLabel = "N",
            defaultValue = "16",
            description = "Requests at once in the whole run.")
        int concurrency,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--requests-per-minute",
            paramLabel = "N",
            description = "Limit of the whole run.")
        Optional<Long> requestsPerMinute,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--tokens-per-minute",
            paramLabel = "N",
            description = "Limit of the whole run, tokens read and written.")
        Optional<Long> tokensPerMinute,
    @Tunable
        @Bounds(above = 0)
        @Option(
            names = "--max-cost-usd",
            paramLabel = "USD",
            description = "Budget of the run; exit 5 when it is spent.")
        Optional<BigDecimal> maxCostUsd,
    @Tunable
        @Option(
            names = "--prices",
            paramLabel = "FILE",
            description = "YAML of prices per million tokens, over those of conf/prices.yaml.")
        Optional<String> prices,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--max-requests",
            paramLabel = "N",
            description = "Budget of the run in requests.")
        Optional<Long> maxRequests,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--max-total-tokens",
            paramLabel = "N",
            description = "Budget of the run in tokens, read and written.")
        Optional<Long> maxTotalTokens,
    @OnlyWith(
            option = "--teacher",
            is = {"openai", "gguf", "replay"})
        @Option(
            names = "--extra-body",
            paramLabel = "JSON",
            defaultValue = "{}",
            description = "Fields merged into each request's body.")
        String extraBody,
    @Tunable
        @Bounds(above = 0)
        @Option(
            names = "--request-timeout",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "Longest time of one attempt.")
        Duration requestTimeout,
    @Tunable
        @Bounds(atLeast = 1)
        @Option(
            names = "--max-attempts",
            paramLabel = "N",
            defaultValue = "6",
            description = "Tries of one request; waiting on a rate limit is no try.")
        int maxAttempts,
    @Tunable
        @Option(
            names = "--max-wait",
            paramLabel = "TIME",
            defaultValue = "1h",
            description = "Longest time of waiting on a refusing server, in all; then exit 75.")
        Duration maxWait,
    @Tunable
        @Bounds(atLeast = 0, atMost = 1)
        @Option(
            names = "--max-failure-ratio",
            paramLabel = "SHARE",
            defaultValue = "0.1",
            description = "Share of requests that may fail for good; more ends with exit 5.")
        double maxFailureRatio) {
  /** Form of a request to a server. */
  public enum Api {
    CHAT,
    COMPLETIONS
  }

  /** Named setters over the declared defaults. */
  public static TeacherAccessOptionsBuilder builder() {
    return TeacherAccessOptionsBuilder.builder(OptionsBinder.defaults(TeacherAccessOptions.class));
  }
}
