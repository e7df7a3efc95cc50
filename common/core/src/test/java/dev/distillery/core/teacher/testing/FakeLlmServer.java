package dev.distillery.core.teacher.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * An OpenAI-compatible server without a model, for tests: a {@link FakeScript} says what each
 * request gets, and everything that was asked is counted. Nothing waits in a thread, so that
 * hundreds of slow requests at once cost little.
 *
 * <p>Serves {@code /v1/models}, {@code /v1/completions}, {@code /v1/chat/completions}, and for
 * tests in another process {@code /stats} (counts as JSON) and {@code /requests} (a JSON line
 * each).
 */
public final class FakeLlmServer implements AutoCloseable {
  static {
    // Without these the JDK's server waits 40 ms for the other side's acknowledgement of its
    // headers, and closes connections beyond 200. It reads them once, when its classes load.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    System.setProperty("sun.net.httpserver.maxIdleConnections", "10000");
  }

  /** The models that {@code /v1/models} lists. */
  public static final List<String> MODELS = List.of("fake-model", "fake-model-mini", "other");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int THREADS = 8;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final RequestLog log = new RequestLog();
  private volatile FakeScript script;

  private FakeLlmServer(int port, FakeScript script) throws IOException {
    this.script = script;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1024);
    server.setExecutor(threads);
    server.createContext("/v1/chat/completions", exchange -> complete(exchange, true));
    server.createContext("/v1/completions", exchange -> complete(exchange, false));
    server.createContext("/v1/models", exchange -> text(exchange, models()));
    server.createContext("/stats", exchange -> text(exchange, log.stats().toString()));
    server.createContext("/requests", exchange -> text(exchange, log.lines()));
    server.start();
  }

  /** Starts a server on a free port that answers by the script. */
  public static FakeLlmServer start(FakeScript script) {
    return start(0, script);
  }

  /** Starts a server on the port, 0 for a free one. */
  public static FakeLlmServer start(int port, FakeScript script) {
    try {
      return new FakeLlmServer(port, script);
    } catch (IOException e) {
      throw new UncheckedIOException("No port for the fake server", e);
    }
  }

  /** Changes what further requests get. */
  public void script(FakeScript newScript) {
    script = newScript;
  }

  /** The base URL for a client: {@code http://127.0.0.1:PORT/v1}. */
  public String baseUrl() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
  }

  public int port() {
    return server.getAddress().getPort();
  }

  /** What was asked, and what it cost. */
  public RequestLog log() {
    return log;
  }

  private void complete(HttpExchange exchange, boolean chat) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    String id = exchange.getRequestHeaders().getFirst("X-Client-Request-Id");
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    FakeRequest request =
        log.arrived(
            id == null ? FakeRequest.hash(body) : id,
            chat,
            FakeRequest.parse(body),
            authorization == null ? "" : authorization);
    FakeAnswer answer = script.answer(request);
    log.decided(request, answer);
    Runnable write = () -> write(exchange, request, answer);
    if (answer.delay().isZero()) {
      write.run();
    } else {
      CompletableFuture.delayedExecutor(answer.delay().toNanos(), TimeUnit.NANOSECONDS, threads)
          .execute(write);
    }
  }

  private void write(HttpExchange exchange, FakeRequest request, FakeAnswer answer) {
    try {
      switch (answer.delivery()) {
        case WHOLE -> {
          log.left(request, true);
          send(exchange, answer, answer.body().getBytes(StandardCharsets.UTF_8), false);
        }
        case CUT_OFF -> {
          log.left(request, false);
          send(exchange, answer, answer.body().getBytes(StandardCharsets.UTF_8), true);
        }
        case CLOSED -> {
          log.left(request, false);
          exchange.close();
        }
        case NEVER -> log.left(request, false);
      }
    } catch (IOException e) {
      log.undelivered(request);
      exchange.close();
    }
  }

  private static void send(HttpExchange exchange, FakeAnswer answer, byte[] body, boolean cut)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.getResponseHeaders().set("Server", "fake-llm");
    answer.headers().forEach(exchange.getResponseHeaders()::set);
    exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
    OutputStream out = exchange.getResponseBody();
    out.write(cut ? Arrays.copyOf(body, body.length / 2) : body);
    out.flush();
    exchange.close();
  }

  private static void text(HttpExchange exchange, String text) throws IOException {
    try (exchange) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      exchange.getRequestBody().readAllBytes();
      exchange.getResponseHeaders().set("Server", "fake-llm");
      exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private static String models() {
    ObjectNode models = JSON.createObjectNode().put("object", "list");
    var data = models.putArray("data");
    MODELS.forEach(id -> data.addObject().put("id", id).put("owned_by", "nobody"));
    return models.toString();
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
