package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.net.httpserver.HttpServer;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.testing.Requests;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that send requests on, and servers that compress what they say. */
@Timeout(60)
class RedirectsTest {
  private static final String FINE =
      "{\"choices\":[{\"finish_reason\":\"stop\",\"message\":{\"content\":\"fine\"}}]}";

  private final List<String> seen = new CopyOnWriteArrayList<>();
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private OpenAiTeacher teacher() {
    return new OpenAiTeacher(
        new TeacherSettings("openai", "m", base() + "/v1", "chat", Duration.ofSeconds(20), 1),
        Secret.of("sk-test"),
        Clock.systemUTC());
  }

  private String base() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** Answers a path with a status, a body and headers. */
  private void answers(String path, int status, byte[] body, String... headers) {
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

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private TeacherReply ask() throws Exception {
    return teacher()
        .send(Requests.prompt("r", "m", "Name a river.", Sampling.of(8)))
        .get(30, TimeUnit.SECONDS);
  }

  @Test
  void aRedirectOnTheSameServerIsFollowedByTheRequestsAfterIt() throws Exception {
    answers("/v1/", 308, new byte[0], "Location", base() + "/new/v1/chat/completions");
    answers("/new/", 200, utf8(FINE));
    OpenAiTeacher teacher = teacher();
    TeacherRequest request = Requests.prompt("r", "m", "Name a river.", Sampling.of(8));
    // Each is one request on the wire: the caller counts them.
    assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
        .cause()
        .isInstanceOfSatisfying(
            TeacherException.class,
            moved -> {
              assertThat(moved.category()).isEqualTo(Category.MOVED);
              assertThat(moved.retryable()).isTrue();
            });
    assertThat(teacher.send(request).get(30, TimeUnit.SECONDS).text()).isEqualTo("fine");
    assertThat(teacher.send(request).get(30, TimeUnit.SECONDS).text()).isEqualTo("fine");
    assertThat(seen)
        .containsExactly(
            "POST /v1/chat/completions Bearer sk-test",
            "POST /new/v1/chat/completions Bearer sk-test",
            "POST /new/v1/chat/completions Bearer sk-test");
  }

  @Test
  void redirectsInACircleEnd() {
    answers("/v1/", 307, new byte[0], "Location", base() + "/new/v1/chat/completions");
    answers("/new/", 307, new byte[0], "Location", base() + "/v1/chat/completions");
    OpenAiTeacher teacher = teacher();
    TeacherRequest request = Requests.prompt("r", "m", "Name a river.", Sampling.of(8));
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
          .hasMessageContaining("The server sends on to");
    }
    assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
        .cause()
        .hasMessageContaining("on and on")
        .isInstanceOfSatisfying(
            TeacherException.class, circle -> assertThat(circle.fatal()).isTrue());
    assertThat(seen).hasSize(4);
  }

  @Test
  void aServerThatHasMovedAsAWholeIsAskedThereFromTheFirstRequestOn() {
    OpenAiTeacher teacher = teacher();
    var settings =
        new TeacherSettings("openai", "m", base() + "/v1", "chat", Duration.ofSeconds(20), 1);
    teacher.takeAddress(URI.create(base() + "/v1/models"), URI.create("https://h/v2/models"));
    assertThat(teacher.found(settings)).isEqualTo(settings);
    teacher.takeAddress(URI.create(base() + "/v1/models"), URI.create("https://h/v1/models"));
    assertThat(teacher.found(settings)).isEqualTo(settings.withBaseUrl("https://h/v1"));
  }

  @Test
  void aRedirectToAnotherHostIsSaidAndNotFollowed() {
    answers("/v1/", 307, new byte[0], "Location", "http://other.invalid/v1/chat/completions");
    assertThatThrownBy(this::ask)
        .cause()
        .hasMessageContaining("it points to http://other.invalid/v1/chat/completions")
        .hasMessageContaining("--base-url");
  }

  @Test
  void anAnswerThatIsCompressedUnaskedIsRead() throws Exception {
    var packed = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(packed)) {
      gzip.write(utf8(FINE));
    }
    answers("/v1/", 200, packed.toByteArray(), "Content-Encoding", "gzip");
    assertThat(ask().text()).isEqualTo("fine");
  }

  /** Another server on this machine, which must hear nothing. */
  private static HttpServer other(List<String> heard) throws IOException {
    HttpServer other =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    other.createContext(
        "/",
        exchange -> {
          heard.add(exchange.getRequestHeaders().getFirst("Authorization"));
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    other.start();
    return other;
  }

  @ParameterizedTest
  @ValueSource(ints = {301, 302, 303, 307, 308})
  void thePreflightNeverTakesTheKeyToAnotherServerAndGoesOn(int status) throws Exception {
    List<String> heard = new CopyOnWriteArrayList<>();
    HttpServer other = other(heard);
    try {
      String there = "http://127.0.0.1:" + other.getAddress().getPort() + "/v1/models";
      answers("/v1/models", status, new byte[0], "Location", there);
      answers("/v1/chat/", 200, utf8(FINE));
      OpenAiTeacher teacher = teacher();
      assertThat(teacher.preflight())
          .contains("warning: HTTP " + status)
          .contains("it points to " + there)
          .endsWith("asking all the same");
      // It is a hint: what the first real answer says decides, at the address that was given.
      TeacherRequest request = Requests.prompt("r", "m", "Name a river.", Sampling.of(8));
      assertThat(teacher.send(request).get(30, TimeUnit.SECONDS).text()).isEqualTo("fine");
      assertThat(heard).isEmpty();
    } finally {
      other.stop(0);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {301, 302, 303, 307, 308})
  void aRequestNeverTakesTheKeyToAnotherServerAndTheRunStops(int status) throws Exception {
    List<String> heard = new CopyOnWriteArrayList<>();
    HttpServer other = other(heard);
    try {
      String there = "http://127.0.0.1:" + other.getAddress().getPort() + "/v1/chat/completions";
      answers("/v1/", status, new byte[0], "Location", there);
      assertThat(catchThrowable(this::ask))
          .cause()
          .hasMessageContaining("it points to " + there)
          .isInstanceOfSatisfying(
              TeacherException.class, known -> assertThat(known.fatal()).isTrue());
      assertThat(heard).isEmpty();
    } finally {
      other.stop(0);
    }
  }

  @Test
  void aPreflightInACircleIsAWarning() throws Exception {
    answers("/v1/models", 307, new byte[0], "Location", base() + "/v2/models");
    answers("/v2/models", 307, new byte[0], "Location", base() + "/v1/models");
    assertThat(teacher().preflight()).contains("warning: HTTP 307").contains("it points to ");
    assertThat(seen).hasSize(4);
  }

  /** The request after it goes by TLS: what comes there first is a handshake, and no key. */
  @Test
  void aRedirectToHttpsOnTheSameHostIsFollowed() throws Exception {
    try (var secure = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      CompletableFuture<byte[]> first =
          CompletableFuture.supplyAsync(
              () -> {
                try (Socket socket = secure.accept()) {
                  return socket.getInputStream().readNBytes(3);
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      String there = "https://127.0.0.1:" + secure.getLocalPort() + "/v1/chat/completions";
      answers("/v1/", 308, new byte[0], "Location", there);
      OpenAiTeacher teacher = teacher();
      TeacherRequest request = Requests.prompt("r", "m", "Name a river.", Sampling.of(8));
      assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
          .cause()
          .hasMessage("The server sends on to " + there)
          .isInstanceOfSatisfying(
              TeacherException.class,
              moved -> assertThat(moved.category()).isEqualTo(Category.MOVED));
      assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
          .cause()
          .isInstanceOfSatisfying(
              TeacherException.class,
              broken -> assertThat(broken.category()).isEqualTo(Category.CONNECTION));
      // A record of kind handshake, of TLS 1.0 or later.
      assertThat(first.get(30, TimeUnit.SECONDS)).startsWith(0x16, 0x03);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "http://h/v1, http://h/v2, true",
    "http://h/v1, http://h:80/v1, true",
    "http://h:80/v1, http://H/v1, true",
    "https://h/v1, https://h:443/v1, true",
    "http://h/v1, https://h/v1, true",
    "http://h:8080/v1, https://h:8443/v1, true",
    "https://h/v1, https://h:8443/v1, true",
    "http://h/v1, http://h:8080/v1, false",
    "https://h/v1, http://h/v1, false",
    "https://h:443/v1, http://h:443/v1, false",
    "https://h/v1, https://h.evil.example/v1, false",
    "https://api.h/v1, https://h/v1, false",
    "https://h/v1, ftp://h/v1, false",
    "https://h/v1, mailto:h, false"
  })
  void onlyTheSameServerOrHttpsOnTheSameHostIsFollowed(URI from, URI to, boolean followed) {
    assertThat(Redirects.mayFollow(from, to)).isEqualTo(followed);
  }

  private static byte[] packed(byte[] body) throws IOException {
    var packed = new ByteArrayOutputStream();
    try (var gzip = new GZIPOutputStream(packed)) {
      gzip.write(body);
    }
    return packed.toByteArray();
  }

  @Test
  void compressedListsAndErrorsAreRead() throws Exception {
    answers("/v1/models", 200, packed(utf8("{\"data\":[{\"id\":\"m\",\"owned_by\":\"x\"}]}")));
    assertThat(teacher().preflight()).contains("owned by x");
    answers(
        "/v1/chat/",
        400,
        packed(utf8("{\"error\":{\"message\":\"seed is unknown\"}}")),
        "Content-Encoding",
        "gzip");
    assertThatThrownBy(this::ask).cause().hasMessageContaining("seed is unknown");
  }

  @Test
  void whatUnpacksBeyondTheLimitOrIsCutIsMalformed() throws Exception {
    byte[] bomb = packed(new byte[OpenAiTeacher.LONGEST_ANSWER + 1000]);
    byte[] fine = packed(utf8(FINE));
    for (byte[] body : List.of(bomb, java.util.Arrays.copyOf(fine, fine.length - 12))) {
      answers("/v1/chat/", 200, body);
      assertThatThrownBy(this::ask)
          .cause()
          .isInstanceOfSatisfying(
              TeacherException.class,
              known -> assertThat(known.category()).isEqualTo(Category.MALFORMED_REPLY));
      server.removeContext("/v1/chat/");
    }
  }
}
