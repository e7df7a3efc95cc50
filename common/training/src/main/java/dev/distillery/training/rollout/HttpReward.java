package dev.distillery.training.rollout;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.teacher.BoundedBody;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * An endpoint in OpenRLHF's form: {@code query} holds prompt and answer as one text, {@code
 * prompts} the prompts alone and {@code labels} the rows' own answers, empty where there is none;
 * {@code rewards} comes back with a number, or null, for each. Called again where it is busy or
 * does not answer; where it gives too few numbers the run ends, since nobody knows whose they are.
 */
final class HttpReward implements RewardFunction {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Answers of one request. */
  private static final int AT_ONCE = 128;

  private static final int ATTEMPTS = 4;

  /** Bytes of an answer: a number takes some twenty. */
  private static final int LONGEST_ANSWER = 1 << 20;

  private final URI uri;
  private final Duration timeout;
  private final Duration firstPause;
  private final HttpClient client;

  HttpReward(String url) {
    this(url, Duration.ofMinutes(2), Duration.ofSeconds(1));
  }

  HttpReward(String url, Duration timeout, Duration firstPause) {
    this.uri = plain(url);
    this.timeout = timeout;
    this.firstPause = firstPause;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
  }

  /** What is wrong with the address is not repeated: it may be a password in it. */
  private static URI plain(String url) {
    try {
      URI uri = new URI(url);
      if (uri.getHost() != null && uri.getRawUserInfo() == null) {
        return uri;
      }
    } catch (URISyntaxException e) {
      // Said below.
    }
    throw JobException.invalid(
        "Option --reward: expected http://host/path or https://host/path, without user and"
            + " password");
  }

  @Override
  public String name() {
    return uri.toString();
  }

  @Override
  public double[] rewards(List<Sampled> answers) {
    double[] all = new double[answers.size()];
    for (int from = 0; from < all.length; from += AT_ONCE) {
      List<Sampled> some = answers.subList(from, Math.min(all.length, from + AT_ONCE));
      double[] rewards = ask(some);
      System.arraycopy(rewards, 0, all, from, rewards.length);
    }
    return all;
  }

  private static String body(List<Sampled> answers) {
    ObjectNode body = JSON.createObjectNode();
    var query = body.putArray("query");
    var prompts = body.putArray("prompts");
    var labels = body.putArray("labels");
    for (Sampled answer : answers) {
      query.add(answer.prompt().text() + answer.answer());
      prompts.add(answer.prompt().text());
      labels.add(answer.prompt().reference().orElse(""));
    }
    return body.toString();
  }

  private double[] ask(List<Sampled> answers) {
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body(answers)))
            .build();
    String trouble = "";
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try {
        if (attempt > 0) {
          TimeUnit.MILLISECONDS.sleep(firstPause.toMillis() << (attempt - 1));
        }
        HttpResponse<byte[]> response = exchange(request);
        if (response.statusCode() == 200) {
          return read(response.body(), answers.size());
        }
        trouble = "status " + response.statusCode();
        if (response.statusCode() < 500 && response.statusCode() != 429) {
          throw JobException.invalid("The reward " + uri + " refuses: " + trouble);
        }
      } catch (ExecutionException e) {
        trouble = String.valueOf(e.getCause());
      } catch (TimeoutException e) {
        trouble = "no answer within " + timeout.toSeconds() + " s";
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new JobException(ExitCode.TEMPORARY, "Interrupted while " + uri + " was asked");
      }
    }
    throw new JobException(
        ExitCode.TEMPORARY,
        "The reward %s has not answered in %s attempts (%s): run again with the same run id"
            .formatted(uri, ATTEMPTS, trouble));
  }

  /** One exchange; the timeout is of the whole, body and all. */
  private HttpResponse<byte[]> exchange(HttpRequest request)
      throws InterruptedException, ExecutionException, TimeoutException {
    CompletableFuture<HttpResponse<byte[]>> exchange =
        client.sendAsync(request, info -> new BoundedBody(LONGEST_ANSWER));
    try {
      return exchange.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } finally {
      exchange.cancel(true);
    }
  }

  private double[] read(byte[] text, int expected) {
    JsonNode rewards;
    try {
      rewards = JSON.readTree(text).path("rewards");
    } catch (IOException e) {
      throw JobException.invalid("The reward " + uri + " answers no JSON");
    }
    if (!rewards.isArray() || rewards.size() != expected) {
      throw JobException.invalid(
          "The reward %s was asked about %s answers and gave %s"
              .formatted(
                  uri,
                  expected,
                  rewards.isArray() ? rewards.size() + " numbers" : "no list called rewards"));
    }
    double[] read = new double[expected];
    for (int i = 0; i < expected; i++) {
      // Some servers wrap each number in a list of one.
      JsonNode reward = rewards.get(i).isArray() ? rewards.get(i).path(0) : rewards.get(i);
      read[i] = reward.isNumber() ? reward.asDouble() : Double.NaN;
    }
    return read;
  }
}
