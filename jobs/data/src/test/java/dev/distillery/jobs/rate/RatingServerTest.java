package dev.distillery.jobs.rate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(180)
class RatingServerTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir Path folder;

  private static HttpResponse<String> post(String address, String path, String token, String body)
      throws IOException, InterruptedException {
    return HTTP.send(
        HttpRequest.newBuilder(URI.create(address + path))
            .header("Authorization", "Bearer " + token)
            .POST(BodyPublishers.ofString(body))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  private static String vote(String item, String verdict) {
    return "{\"id\":\"%s\",\"judge\":\"somebody else\",\"form\":\"pairwise\",\"verdict\":\"%s\",\"seconds\":1.5}"
        .formatted(item, verdict);
  }

  /** The token of each rater, by the links. */
  private static Map<String, String> tokens(Path links) throws IOException {
    Map<String, String> tokens = new LinkedHashMap<>();
    for (String line : Files.readAllLines(links)) {
      tokens.put(line.substring(0, line.indexOf('\t')), line.substring(line.indexOf('#') + 1));
    }
    return tokens;
  }

  @Test
  void onlyWhoHasATokenRatesAndAsHimself() throws Exception {
    Path links = folder.resolve("links");
    RaterTokens tokens = RaterTokens.of(links, List.of("ann", "ben"));
    var served =
        new RatingServer.Served(
            List.of(AssignmentsTest.item("i1", false), AssignmentsTest.item("i2", false)),
            "<main>page</main>",
            "7",
            tokens,
            1);
    Path votes = folder.resolve("votes.jsonl");
    try (VoteLog log = VoteLog.open(votes);
        RatingServer server = RatingServer.start(served, log, "127.0.0.1", 0, Clock.systemUTC())) {
      String address = server.address();
      tokens.write(links, address);
      assertThat(address).startsWith("http://127.0.0.1:");
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(links)))
          .isEqualTo("rw-------");
      assertThat(RaterTokens.of(links, List.of("ben")).rater(tokens(links).get("ben")))
          .as("links stay")
          .contains("ben");
      assertThat(RaterTokens.of(links, List.of("ben")).rater(tokens(links).get("ann"))).isEmpty();
      assertThat(RaterTokens.of(links, List.of("ben")).port())
          .as("links stay")
          .hasValue(URI.create(address).getPort());
      String ann = tokens(links).get("ann");

      HttpResponse<String> page =
          HTTP.send(
              HttpRequest.newBuilder(URI.create(address)).build(),
              HttpResponse.BodyHandlers.ofString());
      assertThat(page.body()).isEqualTo("<main>page</main>");
      assertThat(page.headers().firstValue("Cache-Control")).contains("no-store");
      assertThat(post(address, "next", "wrong", "{}").statusCode()).isEqualTo(401);
      assertThat(post(address, "vote", "", vote("i1", "1")).statusCode()).isEqualTo(401);
      assertThat(post(address, "admin", ann, "{}").statusCode()).isEqualTo(404);

      JsonNode next = JSON.readTree(post(address, "next", ann, "{}").body());
      assertThat(next.get("judge").textValue()).isEqualTo("ann");
      assertThat(next.get("item").toString()).doesNotContain("row i", "\"m\"", "\"n\"", "expected");
      String item = next.get("item").get("id").textValue();
      assertThat(post(address, "vote", ann, vote(item, "7")).body())
          .contains("'verdict': expected 1, 2, tie or both_bad");
      assertThat(post(address, "vote", ann, "[]").statusCode()).isEqualTo(400);
      assertThat(post(address, "vote", ann, vote("i3", "1")).statusCode()).isEqualTo(409);
      assertThat(post(address, "vote", ann, " ".repeat((8 << 20) + 1)).statusCode()).isEqualTo(413);
      assertThat(post(address, "vote", ann, vote(item, "1")).statusCode()).isEqualTo(200);
      assertThat(post(address, "vote", ann, vote(item, "2")).statusCode()).isEqualTo(200);
      assertThat(server.open()).isEqualTo(1);
      assertThat(server.votes()).isEqualTo(2);
      assertThatThrownBy(
              () ->
                  RatingServer.start(
                      served, log, "127.0.0.1", URI.create(address).getPort(), Clock.systemUTC()))
          .hasMessageContaining("choose another port");
    }
    List<Vote> kept = new ArrayList<>();
    for (String line : Files.readAllLines(votes)) {
      kept.add(Vote.read(line));
    }
    assertThat(kept).extracting(Vote::judge).containsExactly("ann", "ann");
    assertThat(kept.get(1).millis())
        .as("the later vote is later")
        .isGreaterThan(kept.get(0).millis());
  }

  private Process serve(int raters, int items, int ratings) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin/java").toString(),
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            RatingServerMain.class.getName(),
            folder.toString(),
            "" + raters,
            "" + items,
            "" + ratings)
        .redirectError(folder.resolve("server.log").toFile())
        .start();
  }

  private static String address(Process server) throws IOException {
    return new BufferedReader(
            new InputStreamReader(server.getInputStream(), StandardCharsets.UTF_8))
        .readLine();
  }

  /** Rates until nothing is left, or the server is gone; what it acknowledged is noted. */
  private static void rate(String address, String token, Set<String> acknowledged) {
    try {
      while (true) {
        JsonNode next = JSON.readTree(post(address, "next", token, "{}").body());
        if (next.get("item").isNull()) {
          return;
        }
        String item = next.get("item").get("id").textValue();
        if (post(address, "vote", token, vote(item, "tie")).statusCode() == 200) {
          acknowledged.add(next.get("judge").textValue() + " " + item);
        }
      }
    } catch (IOException e) {
      // The server was killed.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void fiftyRatersAtOnceLoseNoVoteOverKills() throws Exception {
    int raters = 50;
    int items = 120;
    int ratings = 5;
    Set<String> acknowledged = ConcurrentHashMap.newKeySet();
    ExecutorService crowd = Executors.newFixedThreadPool(raters);
    try {
      for (int life = 0; life < 3; life++) {
        Process server = serve(raters, items, ratings);
        try {
          String address = address(server);
          List<Future<?>> working = new ArrayList<>();
          for (String token : tokens(folder.resolve("links")).values()) {
            working.add(crowd.submit(() -> rate(address, token, acknowledged)));
          }
          int enough = (life + 1) * 150;
          while (life < 2 && acknowledged.size() < enough) {
            Thread.sleep(5);
          }
          if (life < 2) {
            server.destroyForcibly().waitFor(); // kill -9
          }
          for (Future<?> one : working) {
            one.get();
          }
        } finally {
          server.destroyForcibly().waitFor();
        }
      }
    } finally {
      crowd.shutdownNow();
    }
    Map<String, Set<String>> byItem = new HashMap<>();
    Set<String> logged = new HashSet<>();
    for (String line : Files.readAllLines(folder.resolve("votes.jsonl"))) {
      Vote vote = Vote.read(line);
      logged.add(vote.judge() + " " + vote.id());
      byItem.computeIfAbsent(vote.id(), x -> new HashSet<>()).add(vote.judge());
    }
    assertThat(logged).containsAll(acknowledged);
    assertThat(byItem).hasSize(items);
    // A rater who had an item open when the server died may rate it beside another.
    assertThat(byItem.values()).allMatch(judges -> judges.size() >= ratings);
    assertThat(logged.size()).isBetween(items * ratings, items * ratings + 2 * raters);
    assertThat(Files.readString(folder.resolve("server.log")))
        .doesNotContain(tokens(folder.resolve("links")).values());
  }
}
