package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.distillery.core.teacher.TeacherException.Category;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers that send requests on, and servers that compress what they say. */
@Timeout(60)
class RedirectsTest {
  private final ScriptedServer server = new ScriptedServer();

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void aRedirectOnTheSameServerIsFollowedByTheRequestsAfterIt() throws Exception {
    server.answers("/v1/", 308, "", "Location", server.base() + "/new/v1/chat/completions");
    server.answers("/new/", 200, ScriptedServer.FINE);
    OpenAiTeacher teacher = server.teacher("chat");
    TeacherRequest request = ScriptedServer.question();
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
    assertThat(server.seen())
        .containsExactly(
            "POST /v1/chat/completions Bearer sk-test",
            "POST /new/v1/chat/completions Bearer sk-test",
            "POST /new/v1/chat/completions Bearer sk-test");
  }

  @Test
  void redirectsInACircleEnd() {
    server.answers("/v1/", 307, "", "Location", server.base() + "/new/v1/chat/completions");
    server.answers("/new/", 307, "", "Location", server.base() + "/v1/chat/completions");
    OpenAiTeacher teacher = server.teacher("chat");
    TeacherRequest request = ScriptedServer.question();
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
          .hasMessageContaining("The server sends on to");
    }
    assertThatThrownBy(() -> teacher.send(request).get(30, TimeUnit.SECONDS))
        .cause()
        .hasMessageContaining("on and on")
        .isInstanceOfSatisfying(
            TeacherException.class, circle -> assertThat(circle.fatal()).isTrue());
    assertThat(server.seen()).hasSize(4);
  }

  @Test
  void aServerThatHasMovedAsAWholeIsAskedThereFromTheFirstRequestOn() {
    OpenAiTeacher teacher = server.teacher("chat");
    var settings =
        new TeacherSettings(
            "openai", "m", server.base() + "/v1", "chat", Duration.ofSeconds(20), 1);
    teacher.takeAddress(
        URI.create(server.base() + "/v1/models"), URI.create("https://h/v2/models"));
    assertThat(teacher.found(settings)).isEqualTo(settings);
    teacher.takeAddress(
        URI.create(server.base() + "/v1/models"), URI.create("https://h/v1/models"));
    assertThat(teacher.found(settings)).isEqualTo(settings.withBaseUrl("https://h/v1"));
  }

  @Test
  void aRedirectToAnotherHostIsSaidAndNotFollowed() {
    server.answers("/v1/", 307, "", "Location", "http://other.invalid/v1/chat/completions");
    assertThatThrownBy(() -> server.ask("chat"))
        .cause()
        .hasMessageContaining("it points to http://other.invalid/v1/chat/completions")
        .hasMessageContaining("--base-url");
  }

  @Test
  void anAnswerThatIsCompressedUnaskedIsRead() throws Exception {
    server.answers("/v1/", 200, packed(ScriptedServer.FINE), "Content-Encoding", "gzip");
    assertThat(server.ask("chat").text()).isEqualTo("fine");
  }

  @ParameterizedTest
  @ValueSource(ints = {301, 302, 303, 307, 308})
  void thePreflightNeverTakesTheKeyToAnotherServerAndGoesOn(int status) throws Exception {
    // It must hear nothing.
    try (var other = new ScriptedServer()) {
      other.answers("/", 200, "");
      String there = other.base() + "/v1/models";
      server.answers("/v1/models", status, "", "Location", there);
      server.answers("/v1/chat/", 200, ScriptedServer.FINE);
      OpenAiTeacher teacher = server.teacher("chat");
      assertThat(teacher.preflight())
          .contains("warning: HTTP " + status)
          .contains("it points to " + there)
          .endsWith("asking all the same");
      // It is a hint: what the first real answer says decides, at the address that was given.
      TeacherRequest request = ScriptedServer.question();
      assertThat(teacher.send(request).get(30, TimeUnit.SECONDS).text()).isEqualTo("fine");
      assertThat(other.seen()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {301, 302, 303, 307, 308})
  void aRequestNeverTakesTheKeyToAnotherServerAndTheRunStops(int status) throws Exception {
    // It must hear nothing.
    try (var other = new ScriptedServer()) {
      other.answers("/", 200, "");
      String there = other.base() + "/v1/chat/completions";
      server.answers("/v1/", status, "", "Location", there);
      assertThat(catchThrowable(() -> server.ask("chat")))
          .cause()
          .hasMessageContaining("it points to " + there)
          .isInstanceOfSatisfying(
              TeacherException.class, known -> assertThat(known.fatal()).isTrue());
      assertThat(other.seen()).isEmpty();
    }
  }

  @Test
  void aPreflightInACircleIsAWarning() throws Exception {
    server.answers("/v1/models", 307, "", "Location", server.base() + "/v2/models");
    server.answers("/v2/models", 307, "", "Location", server.base() + "/v1/models");
    assertThat(server.teacher("chat").preflight())
        .contains("warning: HTTP 307")
        .contains("it points to ");
    assertThat(server.seen()).hasSize(4);
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
      server.answers("/v1/", 308, "", "Location", there);
      OpenAiTeacher teacher = server.teacher("chat");
      TeacherRequest request = ScriptedServer.question();
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

  private static byte[] packed(String text) throws IOException {
    return packed(text.getBytes(StandardCharsets.UTF_8));
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
    server.answers("/v1/models", 200, packed("{\"data\":[{\"id\":\"m\",\"owned_by\":\"x\"}]}"));
    assertThat(server.teacher("chat").preflight()).contains("owned by x");
    server.answers(
        "/v1/chat/",
        400,
        packed("{\"error\":{\"message\":\"seed is unknown\"}}"),
        "Content-Encoding",
        "gzip");
    assertThatThrownBy(() -> server.ask("chat")).cause().hasMessageContaining("seed is unknown");
  }

  @Test
  void whatUnpacksBeyondTheLimitOrIsCutIsMalformed() throws Exception {
    byte[] bomb = packed(new byte[OpenAiTeacher.LONGEST_ANSWER + 1000]);
    byte[] fine = packed(ScriptedServer.FINE);
    for (byte[] body : List.of(bomb, java.util.Arrays.copyOf(fine, fine.length - 12))) {
      server.answers("/v1/chat/", 200, body);
      assertThatThrownBy(() -> server.ask("chat"))
          .cause()
          .isInstanceOfSatisfying(
              TeacherException.class,
              known -> assertThat(known.category()).isEqualTo(Category.MALFORMED_REPLY));
    }
  }
}
