package dev.distillery.jobs.serve;

import static dev.distillery.jobs.serve.ScriptedStudents.BASE;
import static dev.distillery.jobs.serve.ScriptedStudents.KOALA;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.testing.Browser;
import dev.distillery.training.student.AskedOptions;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The page in a real browser, by keyboard: with {@link TinyStudent} behind it, and with {@link
 * ScriptedStudents} where what is answered matters.
 */
@Timeout(600)
class ChatPageIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String DONE = "document.querySelector('article[aria-busy=true]') === null";
  private static final String HOSTILE =
      """
      <script>document.title='broken'</script><img src=x onerror="document.title='broken'">

      [one](javascript:document.title='broken') [two](data:text/html,x) [three](//x.example/y) \
      [four](https://safe.example/a_b_c "title") ![five](https://tracker.example/p.png) \
      [\u202Eelpmaxe](https://real.example/) <https://angled.example/x>

      `<b>code</b>` \u202Edesrever

      ```html
      </code></pre><script>document.title='broken'</script>
      """;

  @TempDir Path folder;

  private final ServerFigures figures = new ServerFigures();
  private ServedModels models;
  private StudentServer server;
  private ChatVoteLog votes;
  private Browser browser;

  @BeforeEach
  void begin() throws Exception {
    assumeTrue(Browser.program().isPresent(), "No chromium on the path");
    browser = Browser.start(folder);
  }

  @AfterEach
  void end() {
    if (browser != null) {
      browser.close();
    }
    if (server != null) {
      server.close();
      models.close();
      votes.close();
    }
  }

  private void serve(Secret key, int concurrency, int queue) throws IOException {
    ServeOptions options =
        ServeOptions.builder()
            .student(
                AskedOptions.builder().model(TinyStudent.model(folder) + "").threads(2).build())
            .concurrency(concurrency)
            .build();
    models =
        ServedModels.open(
            options,
            options
                .student()
                .settings(LocalDate.EPOCH, concurrency, options.requestTimeout(), 1, 128));
    votes = ChatVoteLog.open(folder.resolve("votes.jsonl").toString());
    server =
        StudentServer.start(
            new StudentServer.Served(models, key, figures, Optional.of(votes)),
            "127.0.0.1",
            0,
            queue);
  }

  private void open(String address) {
    browser.open(address + "/");
    browser.until("document.querySelector('#model').options.length > 0");
  }

  private void say(String text) {
    browser.value("document.getElementById('said').focus()");
    browser.type(text);
    browser.press("Enter");
  }

  /** Presses a button as who has reached it by the tabulator. */
  private void pressButton(String label) {
    String button =
        "[...document.querySelectorAll('button')].filter(one => one.checkVisibility() &&"
            + " [one.textContent, one.getAttribute('aria-label')].includes('%s')).at(-1)"
                .formatted(label);
    browser.until(button + " !== undefined");
    browser.value(button + ".focus()");
    browser.press("Enter");
  }

  /** Writes settings into the dialog, by their labels, and keeps them. */
  private void set(Map<String, String> values) {
    pressButton("Settings");
    values.forEach(
        (label, value) -> {
          browser.value(
              "field = [...document.querySelectorAll('dialog label')].find(one => one.textContent"
                  + " === '%s').querySelector('input, textarea'); field.focus(); field.select()"
                      .formatted(label));
          browser.type(value);
        });
    pressButton("Keep");
    browser.until("!document.querySelector('dialog').open");
  }

  private void choose(String select, String value) {
    browser.value(
        "one = document.getElementById('%s'); one.value = '%s'; one.dispatchEvent(new Event('change'))"
            .formatted(select, value));
  }

  private String pressed() {
    return browser
        .value(
            "[...document.querySelectorAll('[aria-pressed=true]')].map(one => one.textContent ||"
                + " one.getAttribute('aria-label')).join()")
        .asText();
  }

  private List<JsonNode> kept() throws IOException {
    var rows = new ArrayList<JsonNode>();
    for (String line : Files.readAllLines(folder.resolve("votes.jsonl"))) {
      if (!line.isBlank()) {
        rows.add(JSON.readTree(line));
      }
    }
    return rows;
  }

  /** What the interface answers to the same. */
  private String answer(ObjectNode body) throws Exception {
    var request =
        HttpRequest.newBuilder(URI.create(server.address() + "/v1/chat/completions"))
            .POST(HttpRequest.BodyPublishers.ofString(body.toString()))
            .build();
    String reply = HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
    return JSON.readTree(reply).at("/choices/0/message/content").textValue();
  }

  private void nothingElseIsAskedAndNothingForbidden(String... addresses) {
    assertThat(browser.requests())
        .allMatch(
            each ->
                each.equals("about:blank")
                    || List.of(addresses).stream().anyMatch(each::startsWith));
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void aDialogueByKeyboardIsThatOfTheInterface() throws Exception {
    serve(Secret.NONE, 4, 64);
    open(server.address());
    browser.until("document.activeElement.id === 'said'");
    set(
        Map.of(
            "Temperature", "0", "Tokens of an answer at most", "12", "System prompt", "Be brief."));
    say("the sea");
    browser.until(
        DONE + " && document.querySelector('.notes').textContent.startsWith('12 tokens')");
    say("and the land");
    browser.until(DONE + " && document.querySelectorAll('article').length === 2");
    pressButton("Good answer");
    browser.until("document.querySelector('[aria-pressed=true]') !== null");

    ObjectNode body = JSON.createObjectNode().put("temperature", 0).put("max_tokens", 12);
    var messages = body.putArray("messages");
    messages.addObject().put("role", "system").put("content", "Be brief.");
    messages.addObject().put("role", "user").put("content", "the sea");
    String first = answer(body);
    messages.addObject().put("role", "assistant").put("content", first);
    messages.addObject().put("role", "user").put("content", "and the land");
    String answer = answer(body);
    JsonNode row = kept().get(0);
    assertThat(row.get("answer_a").textValue()).isEqualTo(answer);
    assertThat(JSON.readTree(row.get("prompt").textValue())).isEqualTo(messages);
    String letters = "[^\\p{L}\\p{N}]";
    assertThat(
            browser
                .value("[...document.querySelectorAll('.text')].at(-1).textContent")
                .asText()
                .replaceAll(letters, ""))
        .isEqualTo(answer.replaceAll(letters, ""));

    // Over a reload what was said, what is written and what was chosen stay.
    browser.value("document.getElementById('said').focus()");
    browser.type("half a mess");
    browser.reload();
    browser.until("document.querySelectorAll('article').length === 2");
    assertThat(browser.value("document.getElementById('said').value").asText())
        .isEqualTo("half a mess");
    assertThat(pressed()).isEqualTo("Good answer");
    pressButton("New chat");
    assertThat(browser.value("document.querySelectorAll('article').length").asInt()).isZero();
    nothingElseIsAskedAndNothingForbidden(server.address());
  }

  /** Pages of other sites are refused; this one is none, by whatever name of the machine. */
  @Test
  void thePageIsAnsweredByEveryNameOfTheMachine() throws Exception {
    serve(Secret.NONE, 4, 64);
    for (String host : List.of("127.0.0.1", "localhost")) {
      open(server.address().replace("127.0.0.1", host));
      set(Map.of("Tokens of an answer at most", "3"));
      say("the sea");
      browser.until(DONE + " && document.querySelector('.notes').textContent.includes('token')");
      pressButton("Bad answer");
      browser.until("document.querySelector('[aria-pressed=true]') !== null");
    }
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void escapeStopsAnAnswerAndFreesItsPlace() throws Exception {
    serve(Secret.NONE, 1, 0);
    open(server.address());
    say("the sea");
    browser.until("document.querySelector('.text').textContent.length > 20");
    say("typed meanwhile");
    assertThat(browser.value("document.querySelectorAll('article').length").asInt()).isEqualTo(1);
    browser.press("Escape");
    browser.until(DONE);
    assertThat(browser.text(".notes")).isEqualTo("Stopped.");
    browser.until("document.activeElement.id === 'said'");
    assertThat(browser.value("document.getElementById('said').value").asText())
        .isEqualTo("typed meanwhile");
    while (figures.inWork() > 0) {
      Thread.onSpinWait();
    }
    assertThat(figures.counts().left()).isEqualTo(1);

    // The only place is another's now.
    var other = new CountDownLatch(1);
    var request =
        HttpRequest.newBuilder(URI.create(server.address() + "/v1/chat/completions"))
            .POST(
                HttpRequest.BodyPublishers.ofString(
                    "{\"stream\": true, \"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}"))
            .build();
    var stream =
        HttpClient.newHttpClient()
            .sendAsync(request, BodyHandlers.ofInputStream())
            .whenComplete((reply, failure) -> other.countDown());
    other.await();
    browser.press("Enter");
    browser.until("document.querySelector('.answer .failed') !== null && " + DONE);
    assertThat(browser.text(".answer .failed"))
        .isEqualTo("Too many requests wait already; ask again later. It asks to wait 1 second.");
    stream.join().body().close();
    while (figures.inWork() > 0) {
      Thread.onSpinWait();
    }
    pressButton("Try again");
    browser.until("[...document.querySelectorAll('.text')].at(-1).textContent.length > 5");
    browser.press("Escape");
    browser.until(DONE);
  }

  @Test
  void twoAreComparedAndVotesAreRows() throws Exception {
    try (var students = ScriptedStudents.start(folder)) {
      students.answer(BASE, "A **river**.");
      students.answer(KOALA, "The Elbe.");
      open(students.address());
      choose("compared", "koala");
      say("Name a river.");
      browser.until(DONE + " && document.querySelectorAll('.text p').length === 2");
      assertThat(students.asked())
          .extracting(body -> body.get("model").textValue())
          .containsExactlyInAnyOrder("base", "koala");
      assertThat(browser.text("article strong")).isEqualTo("river");
      set(Map.of("Your name in judgements", "Ann"));
      pressButton("B is better");
      browser.until("document.querySelector('[aria-pressed=true]') !== null");
      pressButton("A tie");
      browser.until("document.querySelector('[aria-pressed=true]').textContent === 'A tie'");
      pressButton("Bad answer");
      browser.until("document.querySelectorAll('[aria-pressed=true]').length === 2");
      assertThat(students.votes())
          .extracting(
              row -> row.get("judge").textValue(),
              row -> row.path("verdict").asText(),
              row -> row.get("model_a").textValue(),
              row -> row.path("answer_b").asText(),
              row -> row.path("score").asText())
          .containsExactly(
              tuple("Ann", "tie", "base", "The Elbe.", ""), tuple("Ann", "", "koala", "", "0.0"));
      pressButton("Bad answer");
      browser.until("document.querySelectorAll('[aria-pressed=true]').length === 1");
      assertThat(students.votes()).hasSize(1);

      // Each goes on with its own dialogue, and what was asked differently is not compared.
      students.answer(BASE, "Yes.");
      students.answer(KOALA, "Yes.");
      say("Really?");
      browser.until(DONE + " && document.querySelectorAll('.text p').length === 4");
      for (JsonNode body : students.asked().subList(2, 4)) {
        boolean base = body.get("model").textValue().equals("base");
        assertThat(body.at("/messages/1/content").textValue())
            .isEqualTo(base ? "A **river**." : "The Elbe.");
      }
      assertThat(
              browser
                  .value(
                      "[...document.querySelectorAll('.verdict')].map(one =>"
                          + " one.checkVisibility()).join()")
                  .asText())
          .isEqualTo("true,false");
      nothingElseIsAskedAndNothingForbidden(students.address());
    }
  }

  @Test
  void whatAnAnswerHoldsStaysText() throws Exception {
    try (var students = ScriptedStudents.start(folder)) {
      students.answer(BASE, HOSTILE);
      open(students.address());
      say("</script><script>document.title='broken'</script><img src=x onerror=alert(1)>\u202Ecba");
      browser.until(DONE + " && document.querySelector('.text pre') !== null");
      assertThat(browser.value("document.title").asText()).isEqualTo("Chat");
      assertThat(
              browser
                  .value("document.querySelectorAll('main :is(script, img, iframe, style)').length")
                  .asInt())
          .isZero();
      assertThat(browser.text(".text"))
          .contains("<script>document.title='broken'</script><img src=x onerror=")
          .contains("[one](javascript:document.title='broken')")
          .contains("[two](data:text/html,x) [three](//x.example/y)")
          .contains("four (safe.example)")
          .contains("five https://tracker.example/p.png")
          .contains("<b>code</b>");
      assertThat(browser.text(".text pre"))
          .startsWith("</code></pre><script>document.title='broken'</script>");
      assertThat(browser.text(".shown")).startsWith("</script><script>");
      assertThat(
              browser
                  .value(
                      "[...document.querySelectorAll('.text a')].map(one => one.href + ' ' +"
                          + " one.rel + ' ' + getComputedStyle(one).unicodeBidi)")
                  .toString())
          .isEqualTo(
              JSON.valueToTree(
                      List.of(
                          "https://safe.example/a_b_c noopener noreferrer isolate",
                          "https://tracker.example/p.png noopener noreferrer isolate",
                          "https://real.example/ noopener noreferrer isolate",
                          "https://angled.example/x noopener noreferrer isolate"))
                  .toString());
      assertThat(
              browser
                  .value(
                      "[...document.querySelectorAll('.text p, .text code, .shown')].every(one =>"
                          + " getComputedStyle(one).unicodeBidi === 'isolate')")
                  .asBoolean())
          .isTrue();
      nothingElseIsAskedAndNothingForbidden(students.address());
    }
  }

  @Test
  void anAnswerIsShownAsItComesAndWhatFailsIsSaid() throws Exception {
    try (var students = ScriptedStudents.start(folder)) {
      var seen = new CountDownLatch(1);
      students.streams("```py\nprint(1", seen, ")\n```\nDone.");
      open(students.address());
      say("Write code.");
      browser.until("document.querySelector('.text pre')?.textContent === 'print(1'");
      assertThat(browser.value(DONE).asBoolean()).isFalse();
      seen.countDown();
      browser.until(DONE + " && document.querySelector('.text p')?.textContent === 'Done.'");
      assertThat(browser.text(".text pre")).isEqualTo("print(1)");

      students.fails(503, "The server is about to end", Map.of("Retry-After", "2"));
      say("Once more.");
      browser.until(
          "[...document.querySelectorAll('.answer .failed')].some(one => one.textContent)");
      assertThat(browser.text(".answer .failed"))
          .isEqualTo("The server is about to end. It asks to wait 2 seconds.");
      students.fails(400, "Parameter top_p: expected more than 0", Map.of());
      pressButton("Try again");
      browser.until(
          "document.querySelector('.answer .failed')?.textContent.startsWith('Parameter top_p')");
      students.breaksOff("Half of");
      pressButton("Try again");
      browser.until(
          "document.querySelector('.answer .failed')?.textContent.startsWith('The answer broke"
              + " off')");
      assertThat(
              browser.value("[...document.querySelectorAll('.text')].at(-1).textContent").asText())
          .isEqualTo("Half of");
      students.answer(BASE, "Whole.");
      pressButton("Try again");
      browser.until(DONE + " && document.querySelector('.answer .failed') === null");
      // What failed is no part of the dialogue.
      assertThat(students.asked().get(4).get("messages")).hasSize(3);

      students.close();
      say("Anybody there?");
      browser.until(
          "document.querySelector('.answer .failed')?.textContent === 'The server cannot be"
              + " reached.'");
      pressButton("Edit your message");
      assertThat(browser.value("document.getElementById('said').value").asText())
          .isEqualTo("Anybody there?");
    }
  }

  @Test
  void aKeyIsAskedForOnceAndKeptAsLongAsTheTab() throws Exception {
    serve(Secret.of("right key"), 4, 64);
    browser.open(server.address() + "/");
    browser.until("document.activeElement.id === 'key'");
    browser.type("wrong key");
    browser.press("Enter");
    browser.until("document.getElementById('notice').textContent.includes('another key')");
    browser.type("right key");
    browser.press("Enter");
    browser.until("document.querySelector('#model').options.length === 1");
    set(Map.of("Tokens of an answer at most", "3"));
    say("the sea");
    browser.until(DONE + " && document.querySelector('.notes').textContent.includes('token')");
    browser.reload();
    browser.until("document.querySelector('#model').options.length === 1");
    assertThat(browser.value("JSON.stringify(localStorage)").asText()).doesNotContain("right");
    assertThat(browser.requests()).noneMatch(each -> each.contains("right"));
  }

  @Test
  void itIsReadableForAllOnAPhoneAndByNight() throws Exception {
    try (var students = ScriptedStudents.start(folder)) {
      String wide =
          "# Rivers\n\n"
              + "w".repeat(300)
              + "\n\n|"
              + "a column | ".repeat(12)
              + "\n|"
              + "---|".repeat(12)
              + "\n|"
              + "1 |".repeat(12)
              + "\n\n```\n"
              + "code ".repeat(80)
              + "\n```\n1. one\n   - two\n\n> said";
      students.answer(BASE, wide);
      students.answer(KOALA, wide);
      open(students.address());
      choose("compared", "koala");
      say("v".repeat(200));
      browser.until(DONE + " && document.querySelectorAll('.text blockquote').length === 2");
      for (int width : List.of(1200, 360)) {
        browser.size(width, 740);
        for (String scheme : List.of("light", "dark")) {
          browser.show("screen", scheme);
          assertThat(browser.axe()).as(scheme + width).isEmpty();
          browser.picture(Path.of("target", "chat-%s-%s.png".formatted(scheme, width)));
        }
        assertThat(
                browser
                    .value(
                        "Math.max(document.documentElement.scrollWidth,"
                            + " document.querySelector('main').scrollWidth)")
                    .asInt())
            .isLessThanOrEqualTo(width);
      }
      assertThat(
              browser
                  .value(
                      "[...document.querySelectorAll('article')].map(one =>"
                          + " one.getBoundingClientRect().left).filter((x, i, all) => x ==="
                          + " all[0]).length")
                  .asInt())
          .as("columns stacked")
          .isEqualTo(2);
      pressButton("Settings");
      assertThat(browser.axe()).isEmpty();
      browser.picture(Path.of("target", "chat-settings-360.png"));
      browser.press("Escape");
      browser.until("!document.querySelector('dialog').open");
    }
  }
}
