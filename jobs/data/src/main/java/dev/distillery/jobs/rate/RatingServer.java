package dev.distillery.jobs.rate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * The page for many raters: gives it to anyone, and items to who has a token. A vote is answered
 * once it is in the log for good. Bodies are bounded; tokens are in no message.
 *
 * <p>{@code GET /}: the page. {@code POST /next} gives {@code item}, {@code done}, {@code total},
 * {@code waiting} (none now, perhaps later), {@code judge}, {@code sides}; {@code POST /vote} takes
 * a vote as {@link Vote} has it, whose judge and time the server sets. Both want {@code
 * Authorization: Bearer TOKEN}.
 */
final class RatingServer implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The longest text that a vote may have, each character as an escape, and some more. */
  private static final int MOST_BODY = 8 << 20;

  private static final int THREADS = 32;
  private static final int STOP_SECONDS = 2;

  /**
   * What is served.
   *
   * @param page as HTML
   * @param sides the key of the order in which a rater sees the answers of a pair
   */
  record Served(
      List<RatingItem> items, String page, String sides, RaterTokens tokens, int ratingsPerItem) {
    Served {
      items = List.copyOf(items);
    }
  }

  private final Served served;
  private final VoteLog log;
  private final Clock clock;
  private final Assignments assignments;
  private final Map<String, RatingItem> byId = new HashMap<>();
  private final HttpServer http;
  private final ExecutorService threads =
      Executors.newFixedThreadPool(THREADS, RatingServer::named);
  private long votes;
  private long lastMillis;

  private RatingServer(Served served, VoteLog log, HttpServer http, Clock clock) {
    this.served = served;
    this.log = log;
    this.http = http;
    this.clock = clock;
    assignments = new Assignments(served.items(), served.ratingsPerItem(), clock::millis);
    served.items().forEach(item -> byId.put(item.id(), item));
    log.before().forEach(this::count);
  }

  private static Thread named(Runnable work) {
    var thread = new Thread(work, "distillery-rate");
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Starts to serve.
   *
   * @param log whose votes count already
   * @param port 0 for any that is free
   */
  static RatingServer start(Served served, VoteLog log, String host, int port, Clock clock) {
    // A request that does not come to its end holds a thread for so many seconds.
    if (System.getProperty("sun.net.httpserver.maxReqTime") == null) {
      System.setProperty("sun.net.httpserver.maxReqTime", "60");
    }
    HttpServer http;
    try {
      http = HttpServer.create(new InetSocketAddress(host, port), 0);
    } catch (IOException | IllegalArgumentException e) {
      throw new JobException(
          ExitCode.INVALID,
          "Options --host "
              + host
              + " and --port "
              + port
              + ": "
              + e.getMessage()
              + "; choose another port, or an address of this machine",
          e);
    }
    RatingServer server;
    try {
      server = new RatingServer(served, log, http, clock);
    } catch (RuntimeException e) {
      http.stop(0);
      throw e;
    }
    http.createContext("/", server.handler());
    http.setExecutor(server.threads);
    http.start();
    return server;
  }

  /** Where it listens. */
  String address() {
    String host = http.getAddress().getHostString();
    return "http://"
        + (host.contains(":") ? "[" + host + "]" : host)
        + ":"
        + http.getAddress().getPort()
        + "/";
  }

  private synchronized void count(Vote vote) {
    if (!byId.containsKey(vote.id())) {
      throw JobException.invalid(
          "Option --votes: the log has a vote on '"
              + vote.id()
              + "', which is no item of --input; name another file");
    }
    assignments.voted(vote.id(), vote.judge());
    votes++;
    lastMillis = Math.max(lastMillis, vote.millis() == null ? 0 : vote.millis());
  }

  /** Votes in the log. */
  synchronized long votes() {
    return votes;
  }

  /** Items that want more ratings. */
  synchronized long open() {
    return assignments.open();
  }

  private HttpHandler handler() {
    return exchange -> {
      try (exchange) {
        try {
          answer(exchange);
        } catch (RefusedRequest e) {
          ObjectNode says = JSON.createObjectNode().put("error", e.says);
          send(exchange, e.status, "application/json", says.toString());
        }
      }
    };
  }

  /** A request that is not answered as it wants. */
  private static final class RefusedRequest extends Exception {
    private static final long serialVersionUID = 1L;
    private final int status;
    private final String says;

    RefusedRequest(int status, String says) {
      super(says, null, false, false);
      this.status = status;
      this.says = says;
    }
  }

  private void answer(HttpExchange exchange) throws IOException, RefusedRequest {
    String path = exchange.getRequestURI().getPath();
    String wanted = path.equals("/") ? "GET" : "POST";
    if (!List.of("/", "/next", "/vote").contains(path)) {
      throw new RefusedRequest(404, "No such page");
    }
    if (!exchange.getRequestMethod().equals(wanted)) {
      throw new RefusedRequest(405, "Expected " + wanted);
    }
    if (path.equals("/")) {
      send(exchange, 200, "text/html; charset=utf-8", served.page());
      return;
    }
    String rater = rater(exchange);
    String body = body(exchange);
    if (path.equals("/vote")) {
      vote(rater, body);
      send(exchange, 200, "application/json", "{}");
    } else {
      send(exchange, 200, "application/json", next(rater).toString());
    }
  }

  private String rater(HttpExchange exchange) throws RefusedRequest {
    String header =
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("Authorization")).orElse("");
    return served
        .tokens()
        .rater(header.startsWith("Bearer ") ? header.substring("Bearer ".length()) : "")
        .orElseThrow(() -> new RefusedRequest(401, "Your link is not known here; ask for another"));
  }

  private static String body(HttpExchange exchange) throws IOException, RefusedRequest {
    byte[] bytes = exchange.getRequestBody().readNBytes(MOST_BODY + 1);
    if (bytes.length > MOST_BODY) {
      throw new RefusedRequest(413, "The vote has more than " + MOST_BODY + " bytes");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private synchronized ObjectNode next(String rater) {
    Assignments.Next next = assignments.next(rater);
    ObjectNode reply = JSON.createObjectNode();
    reply.set("item", next.item().map(RatingPage::shown).orElse(null));
    reply.put("done", next.done()).put("total", next.total()).put("waiting", next.waiting());
    return reply.put("judge", rater).put("sides", served.sides());
  }

  private void vote(String rater, String body) throws IOException, RefusedRequest {
    Vote vote;
    try {
      vote = Vote.read(withJudge(body, rater));
      RatingItem item = byId.get(vote.id());
      if (item == null) {
        throw new RefusedRequest(409, "No item is called so");
      }
      vote.check(item);
    } catch (Vote.RefusedException e) {
      throw new RefusedRequest(400, e.detail());
    }
    synchronized (this) {
      // Later in the log is later in time, whatever the clock does.
      Vote timed = vote.at(Math.max(clock.millis(), lastMillis + 1));
      log.append(timed);
      count(timed);
    }
  }

  private static String withJudge(String body, String rater) throws RefusedRequest {
    try {
      if (JSON.readTree(body) instanceof ObjectNode vote) {
        vote.remove("voted_at");
        return vote.put("judge", rater).toString();
      }
    } catch (JsonProcessingException e) {
      // Said below, in words that do not quote what came.
    }
    throw new RefusedRequest(400, "Expected a JSON object");
  }

  private static void send(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    var headers = exchange.getResponseHeaders();
    headers.set("Content-Type", type);
    headers.set("Cache-Control", "no-store");
    headers.set("X-Content-Type-Options", "nosniff");
    headers.set("X-Frame-Options", "DENY");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  /** Ends: what is in flight is answered, nothing new is taken. */
  @Override
  public void close() {
    http.stop(STOP_SECONDS);
    threads.shutdown();
  }
}
