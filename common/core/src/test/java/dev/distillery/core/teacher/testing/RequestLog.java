package dev.distillery.core.teacher.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Every request that {@link FakeLlmServer} saw, its answer, and what the server would bill. */
public final class RequestLog {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * One request and its answer.
   *
   * @param id of the request
   * @param time how often the id had been seen before
   * @param arrivalMillis since the server's start
   * @param status of the answer, 0 for none
   * @param promptTokens billed
   * @param completionTokens billed
   * @param delivered whether the whole answer went out
   */
  public record Entry(
      String id,
      int time,
      long arrivalMillis,
      int status,
      int promptTokens,
      int completionTokens,
      boolean delivered) {}

  private final long start = System.nanoTime();
  private final Map<String, Integer> times = new LinkedHashMap<>();
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final List<FakeRequest> kept = new ArrayList<>();
  private int inFlight;
  private int mostInFlight;

  /** Requests whose bodies are kept for tests to look at. */
  private static final int KEPT = 1000;

  synchronized FakeRequest arrived(String id, boolean chat, JsonNode body, String authorization) {
    int time = times.merge(id, 1, Integer::sum) - 1;
    long millis = (System.nanoTime() - start) / 1_000_000;
    var request = new FakeRequest(id, time, millis, chat, body, authorization);
    if (kept.size() < KEPT) {
      kept.add(request);
    }
    mostInFlight = Math.max(mostInFlight, ++inFlight);
    return request;
  }

  synchronized void decided(FakeRequest request, FakeAnswer answer) {
    entries.put(
        key(request),
        new Entry(
            request.id(),
            request.time(),
            request.arrivalMillis(),
            answer.status(),
            answer.promptTokens(),
            answer.completionTokens(),
            false));
  }

  synchronized void left(FakeRequest request, boolean delivered) {
    inFlight--;
    mark(request, delivered);
  }

  synchronized void undelivered(FakeRequest request) {
    mark(request, false);
  }

  private void mark(FakeRequest request, boolean delivered) {
    entries.computeIfPresent(
        key(request),
        (key, e) ->
            new Entry(
                e.id(),
                e.time(),
                e.arrivalMillis(),
                e.status(),
                e.promptTokens(),
                e.completionTokens(),
                delivered));
  }

  private static String key(FakeRequest request) {
    return request.id() + " " + request.time();
  }

  /** Every request in the order of arrival. */
  public synchronized List<Entry> entries() {
    return List.copyOf(entries.values());
  }

  /** The first thousand requests with their bodies. */
  public synchronized List<FakeRequest> requests() {
    return List.copyOf(kept);
  }

  /** How often each id was asked. */
  public synchronized Map<String, Integer> times() {
    return Map.copyOf(times);
  }

  /** Most requests that were being answered at once; one that is never answered counts not. */
  public synchronized int mostInFlight() {
    return mostInFlight;
  }

  /**
   * The counts: {@code requests, distinct, most_in_flight, prompt_tokens, completion_tokens,
   * undelivered, statuses}.
   */
  public synchronized ObjectNode stats() {
    ObjectNode stats = JSON.createObjectNode();
    stats.put("requests", entries.size());
    stats.put("distinct", times.size());
    stats.put("most_in_flight", mostInFlight);
    stats.put("prompt_tokens", entries.values().stream().mapToLong(Entry::promptTokens).sum());
    stats.put(
        "completion_tokens", entries.values().stream().mapToLong(Entry::completionTokens).sum());
    stats.put("undelivered", entries.values().stream().filter(e -> !e.delivered()).count());
    ObjectNode statuses = stats.putObject("statuses");
    entries.values().stream()
        .collect(Collectors.groupingBy(e -> "" + e.status(), Collectors.counting()))
        .forEach(statuses::put);
    return stats;
  }

  /** Every entry as a JSON object in a line of its own. */
  synchronized String lines() {
    var lines = new StringBuilder();
    for (Entry entry : entries.values()) {
      lines.append(JSON.<JsonNode>valueToTree(entry)).append('\n');
    }
    return lines.toString();
  }
}
