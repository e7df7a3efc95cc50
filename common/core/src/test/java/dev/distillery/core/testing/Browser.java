package dev.distillery.core.testing;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Chromium without a window, driven over its DevTools protocol: no driver and no library. */
public final class Browser implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Keys that do something by themselves, such as to press a button or to end a dialog. */
  private static final Map<String, Integer> KEY_CODES = Map.of("Enter", 13, "Escape", 27);

  private final Process process;
  private final Path folder;
  private final WebSocket socket;
  private final AtomicInteger next = new AtomicInteger();
  private final Map<Integer, CompletableFuture<JsonNode>> asked = new ConcurrentHashMap<>();
  private final List<JsonNode> events = new CopyOnWriteArrayList<>();

  private Browser(Process process, Path folder, String address) {
    this.process = process;
    this.folder = folder;
    this.socket =
        HttpClient.newHttpClient()
            .newWebSocketBuilder()
            .buildAsync(URI.create(address), new Replies())
            .join();
  }

  /** The program, where this machine has one. */
  public static Optional<String> program() {
    String path = System.getenv().getOrDefault("PATH", "");
    return Stream.of("chromium", "chromium-browser", "google-chrome")
        .flatMap(name -> Stream.of(path.split(File.pathSeparator)).map(dir -> Path.of(dir, name)))
        .filter(Files::isExecutable)
        .map(Path::toString)
        .findFirst();
  }

  /**
   * Starts one.
   *
   * @param folder of its profile and of what it downloads
   */
  public static Browser start(Path folder) throws IOException, InterruptedException {
    Path profile = Files.createDirectories(folder.resolve("profile"));
    Process process =
        new ProcessBuilder(
                program().orElseThrow(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--window-size=1200,900",
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank")
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("browser.log").toFile())
            .start();
    Path port = profile.resolve("DevToolsActivePort");
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!Files.exists(port) || Files.readAllLines(port).size() < 2) {
      if (System.nanoTime() > end || !process.isAlive()) {
        process.destroyForcibly();
        throw new IOException(
            "The browser does not start: " + Files.readString(folder.resolve("browser.log")));
      }
      Thread.sleep(50);
    }
    var pages =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + Files.readAllLines(port).get(0) + "/json"))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    for (JsonNode page : JSON.readTree(pages.body())) {
      if (page.get("type").textValue().equals("page")) {
        var browser = new Browser(process, folder, page.get("webSocketDebuggerUrl").textValue());
        browser.ask("Page.enable", Map.of());
        browser.ask("Runtime.enable", Map.of());
        browser.ask("Log.enable", Map.of());
        browser.ask("Network.enable", Map.of());
        browser.ask(
            "Browser.setDownloadBehavior",
            Map.of("behavior", "allow", "downloadPath", folder.toString()));
        return browser;
      }
    }
    throw new IOException("The browser has no page");
  }

  public JsonNode ask(String method, Map<String, ?> params) {
    int id = next.incrementAndGet();
    var reply = new CompletableFuture<JsonNode>();
    asked.put(id, reply);
    ObjectNode message = JSON.createObjectNode().put("id", id).put("method", method);
    message.set("params", JSON.valueToTree(params));
    try {
      socket.sendText(message.toString(), true).get(PATIENCE.toSeconds(), SECONDS);
      return reply.get(PATIENCE.toSeconds(), SECONDS);
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      throw new IllegalStateException(method + ": " + e, e);
    }
  }

  /** What an expression comes to; promises are waited for. */
  public JsonNode value(String expression) {
    JsonNode result =
        ask(
            "Runtime.evaluate",
            Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
    if (result.has("exceptionDetails")) {
      throw new IllegalStateException(expression + ": " + result.get("exceptionDetails"));
    }
    return result.path("result").path("value");
  }

  public String text(String selector) {
    return value("document.querySelector('" + selector + "').innerText").asText();
  }

  /** The addresses that pages have asked for. */
  public List<String> requests() {
    return events.stream()
        .filter(event -> event.path("method").asText().equals("Network.requestWillBeSent"))
        .map(event -> event.at("/params/request/url").asText())
        .toList();
  }

  /** What the browser found wrong with pages: what their policy forbids, and errors of scripts. */
  public List<String> complaints() {
    return events.stream()
        .filter(
            event ->
                event.at("/params/entry/source").asText().equals("security")
                    || event.path("method").asText().equals("Runtime.exceptionThrown"))
        .map(event -> event.path("params").toString())
        .toList();
  }

  /** Shows pages as a window of a size does, in CSS pixels. */
  public void size(int width, int height) {
    ask(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", width < 600));
  }

  /** Waits until an expression is true. */
  public void until(String expression) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        if (value(expression).asBoolean()) {
          return;
        }
      } catch (IllegalStateException e) {
        if (System.nanoTime() > end) {
          throw e;
        }
      }
      if (System.nanoTime() > end) {
        throw new IllegalStateException(
            "Never true: " + expression + "; the page says " + value("document.body.innerText"));
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  public void open(String address) {
    ask("Page.navigate", Map.of("url", address));
    until("document.readyState === 'complete' && document.querySelector('main') !== null");
  }

  public void reload() {
    ask("Page.reload", Map.of());
    until("document.readyState === 'complete' && document.querySelector('main') !== null");
  }

  /** Presses keys, one after the other, as a keyboard does. */
  public void press(String... keys) {
    for (String key : keys) {
      String text = key.length() == 1 ? key : key.equals("Enter") ? "\r" : "";
      for (String type : List.of(text.isEmpty() ? "rawKeyDown" : "keyDown", "keyUp")) {
        ask(
            "Input.dispatchKeyEvent",
            Map.of(
                "type",
                type,
                "key",
                key,
                "text",
                type.equals("keyDown") ? text : "",
                "windowsVirtualKeyCode",
                KEY_CODES.getOrDefault(key, 0)));
      }
    }
  }

  /** Writes into what has the focus. */
  public void type(String text) {
    ask("Input.insertText", Map.of("text", text));
  }

  /**
   * Shows pages as one who prefers it so sees them.
   *
   * @param medium screen or print
   * @param scheme light or dark
   */
  public void show(String medium, String scheme) {
    ask(
        "Emulation.setEmulatedMedia",
        Map.of(
            "media",
            medium,
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }

  /** What axe-core finds wrong with the page, for keyboards, screen readers and weak eyes. */
  public List<String> axe() throws IOException {
    try (InputStream script = Browser.class.getResourceAsStream("/axe.min.js")) {
      value(new String(script.readAllBytes(), StandardCharsets.UTF_8) + ";true");
    }
    var found = new ArrayList<String>();
    value(
            "axe.run().then(r => r.violations.map(v => v.id + ': ' + v.help + ': '"
                + " + v.nodes.map(n => n.html).join(' ').slice(0, 400)))")
        .forEach(each -> found.add(each.asText()));
    return found;
  }

  /** Takes a picture of what the window shows. */
  public void picture(Path file) throws IOException {
    String png = ask("Page.captureScreenshot", Map.of("format", "png")).get("data").textValue();
    Files.write(file, Base64.getDecoder().decode(png));
  }

  /** A file that the page gave, once it is whole. */
  public Path downloaded(String name) throws InterruptedException, IOException {
    Path file = folder.resolve(name);
    long end = System.nanoTime() + PATIENCE.toNanos();
    // Chromium holds the name by an empty file until the download takes its place.
    while (!Files.exists(file) || Files.size(file) == 0) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException("Nothing was downloaded as " + file);
      }
      Thread.sleep(20);
    }
    return file;
  }

  @Override
  public void close() {
    socket.abort();
    // What it has started writes into its profile until it has ended too.
    List<ProcessHandle> others = process.descendants().toList();
    process.destroy();
    try {
      if (!process.waitFor(10, SECONDS)) {
        process.destroyForcibly().waitFor(10, SECONDS);
      }
      for (ProcessHandle other : others) {
        other.onExit().completeOnTimeout(other, 10, SECONDS).join();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
    }
  }

  /** Puts replies together and gives them to who asked. */
  private final class Replies implements WebSocket.Listener {
    private final StringBuilder parts = new StringBuilder();

    @Override
    public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
      parts.append(part);
      if (last) {
        try {
          JsonNode message = JSON.readTree(parts.toString());
          if (message.has("method")) {
            events.add(message);
          }
          CompletableFuture<JsonNode> reply = asked.remove(message.path("id").asInt(-1));
          if (reply != null) {
            if (message.has("error")) {
              reply.completeExceptionally(new IOException(message.get("error").toString()));
            } else {
              reply.complete(message.get("result"));
            }
          }
        } catch (IOException e) {
          asked.values().forEach(reply -> reply.completeExceptionally(e));
        }
        parts.setLength(0);
      }
      from.request(1);
      return null;
    }
  }
}
