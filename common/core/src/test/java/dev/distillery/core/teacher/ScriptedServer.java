package dev.distillery.core.teacher;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpServer;
import dev.distillery.core.teacher.testing.Requests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;

/** A server that gives each path one answer, and notes who asked. */
final class ScriptedServer implements AutoCloseable {
  /** A reply that says fine. */
  static final String FINE =
      "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"fine\"}}]}";

  private final List<String> seen = new CopyOnWriteArrayList<>();
  private final Set<String> paths = new HashSet<>();
  private final HttpServer server;

  ScriptedServer() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.start();
  }

  /** Where it is, without a path. */
  String base() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Method, path and authorisation of each request so far. */
  List<String> seen() {
    return seen;
  }

  void answers(String path, int status, String body, String... headers) {
    answers(path, status, body.getBytes(UTF_8), headers);
  }

  /** Answers a path, and those below it, from now on. */
  void answers(String path, int status, byte[] body, String... headers) {
    if (!paths.add(path)) {
      server.removeContext(path);
    }
    server.createContext(
        path,
        exchange -> {
          exchange.getRequestBody().readAllBytes();
          seen.add(
              exchange.getRequestMethod()
                  + " "
                  + exchange.getRequestURI()
                  + " "
                  + exchange.getRequestHeaders().getFirst("Authorization"));
          for (int i = 0; i < headers.length; i += 2) {
            exchange.getResponseHeaders().set(headers[i], headers[i + 1]);
          }
          exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
  }

  /** What it is asked. */
  static TeacherRequest question() {
    return Requests.prompt("r", "m", "Name a river.", Sampling.of(8));
  }

  /** A teacher that asks it, with the key {@code sk-test}. */
  OpenAiTeacher teacher(String api) {
    return new OpenAiTeacher(
        new TeacherSettings("openai", "m", base() + "/v1", api, Duration.ofSeconds(20), 1),
        Secret.of("sk-test"),
        Clock.systemUTC());
  }

  /** Asks it for a river. */
  TeacherReply ask(String api) throws Exception {
    return teacher(api).send(question()).get(30, TimeUnit.SECONDS);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
