package dev.distillery.training.rollout;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpRewardTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<JsonNode> asked = new CopyOnWriteArrayList<>();
  private HttpServer server;

  /** What the server says to its n-th request. */
  private IntFunction<String> says = n -> "";

  private int status = 200;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/reward",
        exchange -> {
          asked.add(JSON.readTree(exchange.getRequestBody().readAllBytes()));
          byte[] body = says.apply(asked.size()).getBytes(UTF_8);
          exchange.sendResponseHeaders(body.length == 0 ? 503 : status, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private HttpReward reward() {
    String url =
        String.format(Locale.ROOT, "http://127.0.0.1:%d/reward", server.getAddress().getPort());
    return new HttpReward(url, Duration.ofSeconds(5), Duration.ofMillis(10));
  }

  private static List<Sampled> answers(int count) {
    List<Sampled> answers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Optional<String> label = i == 0 ? Optional.of("Köln") : Optional.empty();
      var prompt = new Prompt("q" + i, new int[] {1}, "Wo? ", List.of(), label, "{}");
      answers.add(new Sampled(prompt, new int[] {2}, "Antwort " + i, true));
    }
    return answers;
  }

  private static String rewards(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "" + i)
        .collect(Collectors.joining(",", "{\"rewards\": [", "]}"));
  }

  @Test
  void sendsPromptsWithAnswersAndLabelsAndTakesNumbersInOrder() {
    says = n -> "{\"rewards\": [0.5, null, [2]]}";

    double[] rewards = reward().rewards(answers(3));

    assertThat(rewards).containsExactly(0.5, Double.NaN, 2);
    JsonNode body = asked.get(0);
    assertThat(body.get("query").get(0).asText()).isEqualTo("Wo? Antwort 0");
    assertThat(body.get("prompts").get(2).asText()).isEqualTo("Wo? ");
    assertThat(body.get("labels").toString()).isEqualTo("[\"Köln\",\"\",\"\"]");
  }

  @Test
  void asksInRequestsOfBoundedSize() {
    says = n -> rewards(n == 1 ? 128 : 2);

    double[] rewards = reward().rewards(answers(130));

    assertThat(asked).hasSize(2);
    assertThat(rewards[127]).isEqualTo(127);
    assertThat(rewards[129]).isEqualTo(1);
  }

  @Test
  void asksAgainWhereTheServerIsBusyAndEndsTemporaryWhereItStaysSo() {
    says = n -> n < 3 ? "" : rewards(1);
    assertThat(reward().rewards(answers(1))).containsExactly(0);
    assertThat(asked).hasSize(3);

    says = n -> "";
    assertThatThrownBy(() -> reward().rewards(answers(1)))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
        .hasMessageContaining("status 503");
  }

  @Test
  void anAnswerThatIsNotOneNumberAnAnswerEndsTheRun() {
    says = n -> rewards(2);
    assertThatThrownBy(() -> reward().rewards(answers(3)))
        .hasMessageContaining("was asked about 3 answers and gave 2 numbers");
    says = n -> "{}";
    assertThatThrownBy(() -> reward().rewards(answers(3)))
        .hasMessageContaining("no list called rewards");
    says = n -> "<html>";
    assertThatThrownBy(() -> reward().rewards(answers(3))).hasMessageContaining("no JSON");
    status = 404;
    assertThatThrownBy(() -> reward().rewards(answers(3))).hasMessageContaining("status 404");
  }

  @Test
  void anAnswerOfAnyLengthIsNotHeld() {
    says = n -> " ".repeat(2 << 20) + rewards(1);
    assertThatThrownBy(() -> reward().rewards(answers(1))).hasMessageContaining("Longer than");
  }

  @Test
  void aPasswordInTheAddressIsRefusedAndNotRepeated() {
    assertThatThrownBy(() -> WeightedReward.parse("http://me:secret@host/r=2").function())
        .hasMessageContaining("without user")
        .hasMessageNotContaining("secret");
    assertThat(WeightedReward.parse("http://host/r?x=1=1").name()).isEqualTo("http://host/r?x=1");
  }
}
