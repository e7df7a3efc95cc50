package dev.distillery.core.teacher.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.testing.ChildProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;

/** {@link FakeLlmMain} in a process of its own, for tests that need it outside their JVM. */
public final class FakeLlmProcess implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ChildProcess process;
  private final int port;

  private FakeLlmProcess(ChildProcess process) {
    this.process = process;
    this.port = Integer.parseInt(process.await("PORT"));
  }

  /** Starts the server with options of {@link FakeLlmMain}; waits until it listens. */
  public static FakeLlmProcess start(String... options) {
    var args = new ArrayList<>(List.of(options));
    args.addAll(List.of("--exit-with-parent", "true"));
    try {
      return new FakeLlmProcess(
          ChildProcess.java(FakeLlmMain.class, args, Files.createTempFile("fake-llm", ".log")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The base URL for a client. */
  public String baseUrl() {
    return "http://127.0.0.1:" + port + "/v1";
  }

  /** The counts as {@link RequestLog#stats} tells them. */
  public JsonNode stats() {
    try {
      return JSON.readTree(get("/stats"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Every request, as {@link RequestLog.Entry}. */
  public List<RequestLog.Entry> requests() {
    return get("/requests")
        .lines()
        .map(
            line -> {
              try {
                return JSON.readValue(line, RequestLog.Entry.class);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            })
        .toList();
  }

  private String get(String path) {
    var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
    try {
      return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted", e);
    }
  }

  @Override
  public void close() {
    process.close();
  }
}
