package dev.distillery.jobs.serve;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The page with two students that answer what they are told to, each in order; those without a name
 * are base's.
 */
final class ScriptedStudents implements AutoCloseable {
  static final String BASE = "base";
  static final String KOALA = "koala";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** One answer, however it goes. */
  private interface Answer {
    void to(HttpExchange exchange) throws IOException;
  }

  private final HttpServer http;
  private final Path file;
  private final ChatVoteLog log;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, BlockingQueue<Answer>> answers =
      Map.of(BASE, new LinkedBlockingQueue<>(), KOALA, new LinkedBlockingQueue<>());
  private final List<JsonNode> asked = new CopyOnWriteArrayList<>();

  private ScriptedStudents(HttpServer http, Path file) {
    this.http = http;
    this.file = file;
    this.log = ChatVoteLog.open(file.toString());
  }

  static ScriptedStudents start(Path folder) throws IOException {
    var http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    var students = new ScriptedStudents(http, folder.resolve("scripted-votes.jsonl"));
    http.createContext("/", students::handle);
    http.setExecutor(students.threads);
    http.start();
    return students;
  }

  String address() {
    return "http://127.0.0.1:" + http.getAddress().getPort();
  }

  /** The bodies of requests for answers. */
  List<JsonNode> asked() {
    return List.copyOf(asked);
  }

  /** The votes that are kept. */
  List<JsonNode> votes() throws IOException {
    var rows = new ArrayList<JsonNode>();
    for (String line : Files.readAllLines(file)) {
      if (!line.isBlank()) {
        rows.add(JSON.readTree(line));
      }
    }
    return rows;
  }

  /** An answer, in pieces of three characters. */
  void answer(String model, String text) {
    answers
        .get(model)
        .add(
            exchange -> {
              head(exchange);
              for (int at = 0; at < text.length(); at += 3) {
                piece(exchange, text.substring(at, Math.min(text.length(), at + 3)));
              }
              end(exchange);
            });
  }

  /** An answer of which the rest waits until the first part was seen. */
  void streams(String first, CountDownLatch seen, String rest) {
    answers
        .get(BASE)
        .add(
            exchange -> {
              head(exchange);
              piece(exchange, first);
              try {
                seen.await();
              } catch (InterruptedException e) {
                throw new IOException(e);
              }
              piece(exchange, rest);
              end(exchange);
            });
  }

  /** An answer that does not come to its end. */
  void breaksOff(String text) {
    answers
        .get(BASE)
        .add(
            exchange -> {
              head(exchange);
              piece(exchange, text);
            });
  }

  /** An error. */
  void fails(int status, String message, Map<String, String> headers) {
    answers
        .get(BASE)
        .add(
            exchange -> {
              headers.forEach(exchange.getResponseHeaders()::set);
              ObjectNode body = JSON.createObjectNode();
              body.putObject("error").put("message", message);
              send(exchange, status, "application/json", body.toString());
            });
  }

  private void handle(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      switch (exchange.getRequestURI().getPath()) {
        case "/" -> send(exchange, 200, "text/html; charset=utf-8", ChatPage.html(true));
        case "/v1/models" ->
            send(
                exchange,
                200,
                "application/json",
                "{\"data\": [{\"id\": \"base\"}, {\"id\": \"koala\"}]}");
        case "/v1/judgements" -> {
          log.keep(ChatVote.read(body, List.of(BASE, KOALA)));
          send(exchange, 200, "application/json", "{}");
        }
        default -> {
          JsonNode request = JSON.readTree(body);
          asked.add(request);
          answers.get(request.get("model").textValue()).remove().to(exchange);
        }
      }
    } catch (ApiException e) {
      throw new IOException(e.message(), e);
    }
  }

  private static void head(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
    exchange.sendResponseHeaders(200, 0);
  }

  private static void event(HttpExchange exchange, String data) throws IOException {
    exchange.getResponseBody().write(("data: " + data + "\n\n").getBytes(UTF_8));
    exchange.getResponseBody().flush();
  }

  private static void piece(HttpExchange exchange, String text) throws IOException {
    ObjectNode event = JSON.createObjectNode();
    event.putArray("choices").addObject().putObject("delta").put("content", text);
    event(exchange, event.toString());
  }

  private static void end(HttpExchange exchange) throws IOException {
    event(
        exchange,
        "{\"choices\": [{\"delta\": {}, \"finish_reason\": \"stop\"}], \"usage\":"
            + " {\"completion_tokens\": 7}}");
    event(exchange, "[DONE]");
  }

  private static void send(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    byte[] bytes = text.getBytes(UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    http.stop(0);
    threads.shutdownNow();
    log.close();
  }
}
