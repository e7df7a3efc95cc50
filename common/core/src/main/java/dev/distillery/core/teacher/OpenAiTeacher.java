package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.distillery.core.run.Nearest;
import dev.distillery.core.teacher.TeacherException.Category;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A teacher behind an OpenAI-compatible server: OpenAI itself, vLLM, llama.cpp, Ollama and their
 * like. Asks by {@code POST /chat/completions} or {@code /completions}, one reply a request, not
 * streamed.
 *
 * <p>Each {@link #send} is one request on the wire. OpenAI itself is sent {@code
 * max_completion_tokens}, others {@code max_tokens}. A request that a server refuses for the name
 * alone ends with {@link Category#OTHER_FORM}, and from then on the server is sent the other; one
 * that it redirects ends with {@link Category#MOVED}, and from then on its new address is asked:
 * the caller decides whether it may be sent again. A limit of either name in the extra body is sent
 * as it stands.
 *
 * <p>Every request carries its id as {@code X-Client-Request-Id}. No message of an exception holds
 * the key or the prompt.
 */
public final class OpenAiTeacher implements Teacher {
  /** The longest answer that is read, in bytes. */
  static final int LONGEST_ANSWER = 16 << 20;

  private static final int MODELS_SHOWN = 10;
  private static final int MAX_REDIRECTS = 3;

  /** What nothing can be quoted from. */
  private static final TeacherRequest NO_REQUEST =
      new TeacherRequest(
          "", Optional.empty(), "", Optional.of(""), List.of(), Sampling.of(1), "{}");

  private final String model;
  private final boolean chat;
  private final Duration timeout;
  private final Secret apiKey;
  private final Clock clock;
  private final AtomicInteger moves = new AtomicInteger();
  private volatile URI base;
  private volatile URI asked;
  private volatile String maxNewTokensField;

  OpenAiTeacher(TeacherSettings settings, Secret apiKey, Clock clock) {
    this.model = settings.model();
    this.base = baseUrl(settings.baseUrl());
    this.chat =
        switch (settings.api()) {
          case "chat" -> true;
          case "completions" -> false;
          default ->
              throw new IllegalArgumentException(
                  "--api is chat or completions, found '" + settings.api() + "'");
        };
    this.asked = URI.create(base + (chat ? "/chat/completions" : "/completions"));
    this.maxNewTokensField =
        chat && "api.openai.com".equals(base.getHost()) ? "max_completion_tokens" : "max_tokens";
    this.timeout = settings.requestTimeout();
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("--request-timeout must be above 0, found " + timeout);
    }
    this.apiKey = Secret.of(apiKey.reveal().strip());
    if (!this.apiKey.reveal().chars().allMatch(c -> c > ' ' && c < 127)) {
      throw new IllegalArgumentException(
          "The API key holds a character that cannot be sent: check --api-key-env or"
              + " --api-key-file");
    }
    this.clock = clock;
  }

  private static URI baseUrl(String text) {
    String example = "; write it as --base-url https://host/v1";
    URI url;
    try {
      url = URI.create(text.strip().replaceAll("/+$", ""));
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("The base URL '" + text + "' is not a URL" + example, e);
    }
    boolean http = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
    if (!http || url.getHost() == null || url.getUserInfo() != null || url.getQuery() != null) {
      throw new IllegalArgumentException(
          "The base URL needs http or https and a host, and may hold no user, password or query"
              + example);
    }
    if (url.getPath().endsWith("/completions")) {
      throw new IllegalArgumentException(
          "The base URL ends before /chat/completions or /completions" + example);
    }
    return url;
  }

  @Override
  public int maxConcurrency() {
    return Integer.MAX_VALUE;
  }

  @Override
  public void close() {
    // The client is the JVM's and is shared.
  }

  @Override
  public CompletableFuture<TeacherReply> send(TeacherRequest request) {
    String limitField = maxNewTokensField;
    String body;
    try {
      body = OpenAiProtocol.body(request, chat, limitField);
    } catch (TeacherException e) {
      return CompletableFuture.failedFuture(e);
    }
    HttpRequest http =
        to(asked)
            .header("Content-Type", "application/json")
            .header("X-Client-Request-Id", request.requestId())
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    return once(http)
        .thenCompose(
            answer -> {
              Optional<URI> target = Redirects.target(http, answer);
              if (target.isPresent()) {
                return CompletableFuture.failedFuture(
                    Redirects.keeps(http, answer)
                        ? moved(http.uri(), target.get(), answer)
                        : elsewhere(answer, target.get(), "which asks for no such request"));
              }
              byte[] received = body(answer);
              boolean renamed =
                  limitField.equals("max_tokens")
                      && ServerErrors.wantsMaxCompletionTokens(
                          answer.statusCode(), ServerErrors.error(received));
              if (renamed) {
                maxNewTokensField = "max_completion_tokens";
                return CompletableFuture.failedFuture(
                    taught(
                        Category.OTHER_FORM,
                        answer,
                        "The server wants max_completion_tokens, which it gets from now on"));
              }
              try {
                return CompletableFuture.completedFuture(read(answer, received, request));
              } catch (TeacherException e) {
                return CompletableFuture.failedFuture(e);
              }
            });
  }

  private TeacherReply read(HttpResponse<byte[]> answer, byte[] body, TeacherRequest request)
      throws TeacherException {
    int status = answer.statusCode();
    JsonNode json = OpenAiProtocol.parse(body).orElse(MissingNode.getInstance());
    JsonNode error = status == 200 && json.isMissingNode() ? json : ServerErrors.error(body);
    if (status == 200 && error.isMissingNode()) {
      return OpenAiProtocol.reply(json, status, ServerHints.limits(answer.headers()))
          .orElseThrow(
              () ->
                  failure(
                      Category.MALFORMED_REPLY,
                      answer,
                      status,
                      "The answer of %s bytes is not a completion in JSON".formatted(body.length)));
    }
    // Some gateways wrap an error in a 200: its own code tells more.
    int own = error.path("code").asInt(0);
    int meant = status != 200 ? status : own >= 400 && own < 600 ? own : 500;
    Category category = ServerErrors.category(meant, error, request);
    String words = ServerWords.of(error, apiKey, request);
    throw failure(
        category,
        answer,
        meant,
        "HTTP %s from the server%s%s"
            .formatted(meant, words.isEmpty() ? "" : ", " + words, advice(category)));
  }

  private String advice(Category category) {
    return switch (category) {
      case AUTHENTICATION -> ": check the key in --api-key-env or --api-key-file";
      case INSUFFICIENT_QUOTA -> ": the account has no money left";
      case UNKNOWN_MODEL ->
          ": it does not know model '%s', or has no such address; check --model, --base-url, --api"
              .formatted(model);
      case CONTEXT_LENGTH -> ": the prompt and --max-new-tokens do not fit the model's context";
      case RATE_LIMITED,
          SERVER_ERROR,
          UNREACHABLE,
          CONNECTION,
          TIMEOUT,
          MALFORMED_REPLY,
          OTHER_FORM,
          MOVED,
          BAD_REQUEST,
          NOT_RECORDED ->
          "";
    };
  }

  private TeacherException failure(
      Category category, HttpResponse<?> answer, int status, String message) {
    return new TeacherException(
        category,
        status,
        ServerHints.retryAfter(answer.headers(), clock),
        ServerHints.shouldRetry(answer.headers()),
        ServerHints.limits(answer.headers()),
        message);
  }

  private HttpRequest.Builder to(URI address) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(address).header("Accept", "application/json");
    if (!apiKey.isEmpty()) {
      builder.header("Authorization", "Bearer " + apiKey.reveal());
    }
    return builder;
  }

  /** The body as it was meant: some servers compress without being asked. */
  private static byte[] body(HttpResponse<byte[]> answer) {
    byte[] body = answer.body();
    boolean gzip = body.length > 2 && (body[0] & 0xFF) == 0x1F && (body[1] & 0xFF) == 0x8B;
    if (!gzip) {
      return body;
    }
    try (var in = new GZIPInputStream(new ByteArrayInputStream(body))) {
      return in.readNBytes(LONGEST_ANSWER);
    } catch (IOException e) {
      return body; // It is no JSON either, and is said to be none.
    }
  }

  /** What an attempt has taught: it may be made again, whatever the answer's headers say. */
  private static TeacherException taught(
      Category category, HttpResponse<?> answer, String message) {
    return new TeacherException(category, answer.statusCode(), Optional.empty(), message);
  }

  /** What becomes of a request that the server sends on: its new address is asked from now on. */
  private synchronized TeacherException moved(URI from, URI to, HttpResponse<?> answer) {
    if (!Redirects.mayFollow(from, to)) {
      return elsewhere(answer, to, "where the key is not sent");
    }
    if (from.equals(asked)) {
      if (moves.incrementAndGet() > MAX_REDIRECTS) {
        return failure(
            Category.UNKNOWN_MODEL,
            answer,
            answer.statusCode(),
            "HTTP %s from %s: the server sends requests on and on, now to %s; check --base-url"
                .formatted(answer.statusCode(), from, to));
      }
      asked = to;
    }
    return taught(Category.MOVED, answer, "The server sends on to %s".formatted(asked));
  }

  private TeacherException elsewhere(HttpResponse<?> answer, URI to, String why) {
    return failure(
        Category.UNKNOWN_MODEL,
        answer,
        answer.statusCode(),
        "HTTP %s from %s: it points to %s, %s; give that as --base-url if it is right"
            .formatted(answer.statusCode(), base, to, why));
  }

  @Override
  public void takeOtherForm() {
    if (chat) {
      maxNewTokensField = "max_completion_tokens";
    }
  }

  @Override
  public TeacherSettings found(TeacherSettings settings) {
    return settings.withBaseUrl(base.toString());
  }

  /**
   * The answer to a question that asks the model nothing, from wherever the server sends it on; the
   * redirect itself where it may not be followed.
   */
  private CompletableFuture<HttpResponse<byte[]>> exchange(HttpRequest http, int redirects) {
    return once(http)
        .thenCompose(
            answer -> {
              Optional<URI> target = Redirects.target(http, answer);
              if (target.isEmpty()
                  || redirects == 0
                  || !Redirects.mayFollow(http.uri(), target.get())) {
                return CompletableFuture.completedFuture(answer);
              }
              var next = HttpRequest.newBuilder(http, (name, value) -> true);
              return exchange(next.uri(target.get()).build(), redirects - 1);
            });
  }

  /** One exchange, ended whole at the timeout; the result arrives on a thread of the callbacks. */
  private CompletableFuture<HttpResponse<byte[]>> once(HttpRequest http) {
    var statusSeen = new AtomicInteger();
    CompletableFuture<HttpResponse<byte[]>> exchange =
        HttpClients.shared()
            .sendAsync(
                http,
                info -> {
                  statusSeen.set(info.statusCode());
                  return new BoundedBody(LONGEST_ANSWER);
                });
    // The client's own timeout ends with the headers; this one also covers the body.
    ScheduledFuture<?> deadline =
        HttpClients.timer()
            .schedule(() -> exchange.cancel(true), timeout.toMillis(), TimeUnit.MILLISECONDS);
    return exchange.handleAsync(
        (answer, failure) -> {
          deadline.cancel(false);
          if (failure != null) {
            throw new CompletionException(broken(failure, statusSeen.get()));
          }
          return answer;
        },
        HttpClients.callbacks());
  }

  private TeacherException broken(Throwable failure, int status) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    if (cause instanceof TeacherException known) {
      return known;
    }
    if (cause instanceof CancellationException) {
      return new TeacherException(
          Category.TIMEOUT,
          status,
          Optional.empty(),
          "No whole answer from %s within %s ms (--request-timeout)"
              .formatted(base, timeout.toMillis()));
    }
    if (status != 0) {
      return new TeacherException(
          Category.MALFORMED_REPLY,
          status,
          Optional.empty(),
          "The answer (HTTP %s) was cut off: %s".formatted(status, cause.getMessage()));
    }
    String why =
        cause instanceof ConnectException || cause.getMessage() == null
            ? cause.getClass().getSimpleName()
            : cause.getMessage();
    boolean unreachable =
        cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException;
    return new TeacherException(
        unreachable ? Category.UNREACHABLE : Category.CONNECTION,
        0,
        Optional.empty(),
        "Cannot talk to %s: %s; check --base-url and that the server runs".formatted(base, why));
  }

  /**
   * Asks {@code GET /models}, and says what is odd about the answer. Lists differ too much between
   * servers, and keys that may ask may not list, so only a server that cannot be talked to fails.
   */
  @Override
  public String preflight() throws TeacherException {
    URI models = URI.create(base + "/models");
    HttpResponse<byte[]> answer = await(exchange(to(models).GET().build(), MAX_REDIRECTS));
    int status = answer.statusCode();
    String server = answer.headers().firstValue("Server").orElse("server");
    Optional<URI> elsewhere = Redirects.target(answer.request(), answer);
    if (elsewhere.isPresent()) {
      return "%s at %s, model %s; warning: HTTP %s when asked for its models, it points to %s, which was not asked; asking all the same"
          .formatted(server, base, model, status, elsewhere.get());
    }
    takeAddress(models, answer.uri());
    String asked = "%s at %s, model %s".formatted(server, base, model);
    if (status == 404 || status == 405 || status == 501) {
      return asked + " (it lists no models)";
    }
    byte[] body = body(answer);
    if (status != 200) {
      String words = ServerWords.of(ServerErrors.error(body), apiKey, NO_REQUEST);
      return "%s; warning: HTTP %s when asked for its models%s; asking all the same"
          .formatted(asked, status, words.isEmpty() ? "" : ", " + words);
    }
    JsonNode json = OpenAiProtocol.parse(body).orElse(MissingNode.getInstance());
    JsonNode list =
        json.isArray() ? json : json.has("data") ? json.get("data") : json.path("models");
    var known = new ArrayList<String>();
    for (JsonNode entry : list) {
      String id = entry.path("id").asText(entry.path("name").asText(""));
      if (!id.isEmpty()) {
        known.add(id);
      }
      if (id.equals(model) || id.equals(model + ":latest") || id.equals("models/" + model)) {
        return "%s (owned by %s)".formatted(asked, entry.path("owned_by").asText("?"));
      }
    }
    return asked + "; warning: " + unknown(known, list.isArray()) + "; asking all the same";
  }

  /** Where the whole server has moved, as to https, requests go there at once. */
  void takeAddress(URI before, URI after) {
    String path = "/models";
    if (!after.equals(before) && after.getRawPath().equals(before.getRawPath())) {
      String whole = after.toString();
      base = URI.create(whole.substring(0, whole.length() - path.length()));
      asked = URI.create(base + (chat ? "/chat/completions" : "/completions"));
    }
  }

  private String unknown(List<String> known, boolean listed) {
    if (!listed) {
      return "its list of models is no list";
    }
    String shown =
        String.join(", ", known.subList(0, Math.min(MODELS_SHOWN, known.size())))
            + (known.size() > MODELS_SHOWN ? " and %s more".formatted(known.size() - 10) : "");
    return "its list of models does not have '%s'%s; it has: %s"
        .formatted(
            model,
            Nearest.to(model, known).map(id -> ", did you mean '" + id + "'?").orElse(""),
            known.isEmpty() ? "none" : shown);
  }

  private HttpResponse<byte[]> await(CompletableFuture<HttpResponse<byte[]>> exchange)
      throws TeacherException {
    @Nullable Throwable cause;
    try {
      return exchange.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      cause = new IOException("interrupted");
    } catch (ExecutionException e) {
      cause = e.getCause();
    }
    throw cause instanceof TeacherException known ? known : broken(new IOException(cause), 0);
  }

  /** Makes teachers of kind {@code openai}. */
  public static final class Factory implements TeacherFactory {
    @Override
    public String kind() {
      return "openai";
    }

    @Override
    public Teacher open(TeacherSettings settings, Secret apiKey) {
      return new OpenAiTeacher(settings, apiKey, Clock.systemUTC());
    }
  }
}
