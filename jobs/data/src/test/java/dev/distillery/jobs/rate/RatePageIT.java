package dev.distillery.jobs.rate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.testing.Browser;
import dev.distillery.spark.testing.LocalSpark;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The pages in a real browser, by keyboard alone. Where no browser is installed, RateJobTest goes
 * the same way with votes of its own.
 */
@Timeout(600)
class RatePageIT {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String HOSTILE =
      "</script><script>document.title='broken'</script><img src=x"
          + " onerror=\"document.title='broken'\">\u2028\u202Ecba";

  private final SparkSession spark = LocalSpark.session();

  @TempDir Path folder;

  @BeforeEach
  void needsABrowser() {
    assumeTrue(Browser.program().isPresent(), "No chromium on the path");
  }

  private RunOptions run(String id) {
    return RunOptions.builder().warehouse(folder.resolve("warehouse") + "").runId(id).build();
  }

  private String file(String name, List<String> lines) throws Exception {
    return Files.write(folder.resolve(name), lines).toString();
  }

  private static String row(String id, String model, String text) {
    return JSON.createObjectNode()
        .put("id", id)
        .put("prompt", "What is said of " + id + "?")
        .put("model", model)
        .put("text", text)
        .put("license", "CC0-1.0")
        .toString();
  }

  private RateSummary rate(RateOptionsBuilder options) {
    return new RateJob().run(spark, options.build(), update -> {});
  }

  private Path page(RateForm form, List<String> a, List<String> b) throws Exception {
    Path page = folder.resolve("page.html");
    var options =
        RateOptions.builder()
            .run(run("page"))
            .form(form)
            .input(List.of(file("a.jsonl", a)))
            .output(Optional.of(page.toString()));
    rate(b.isEmpty() ? options : options.against(List.of(file("b.jsonl", b))));
    return page;
  }

  private RateSummary collect(Path votes) {
    return rate(
        RateOptions.builder()
            .run(run("collected"))
            .input(List.of("rating_items@page"))
            .collect(List.of(votes.toString())));
  }

  private List<Row> table(String name) {
    return spark
        .read()
        .parquet(folder.resolve("warehouse/" + name + "/run_id=collected").toString())
        .collectAsList();
  }

  private static void begin(Browser browser, Path page, String rater) {
    browser.open(page.toUri().toString());
    browser.until("document.activeElement.id === 'rater'");
    browser.type(rater);
    browser.press("Enter");
    browser.until("document.getElementById('progress').textContent.startsWith('0 of')");
  }

  private static void untilDone(Browser browser, int votes) {
    browser.until(
        String.format(
            Locale.ROOT,
            "document.getElementById('progress').textContent.startsWith('%d of')",
            votes));
  }

  private static String shown(Browser browser, int answer) {
    return browser
        .value("document.querySelector('[aria-label=\"Answer " + answer + "\"]').textContent")
        .asText();
  }

  @Test
  void twentyPairsAreRatedByKeyboardOverAReload() throws Exception {
    List<String> a = new ArrayList<>();
    List<String> b = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      a.add(row("r" + i, "student", i == 0 ? "LEFT " + HOSTILE : "LEFT " + i));
      b.add(row("r" + i, "teacher", i == 0 ? "RIGHT " + "z".repeat(1 << 20) : "RIGHT " + i));
    }
    Path page = page(RateForm.PAIRWISE, a, b);
    Path votes;
    try (Browser browser = Browser.start(folder)) {
      begin(browser, page, "Ann B. \u00fc");
      for (int i = 0; i < 20; i++) {
        if (i == 10) {
          browser.reload();
          untilDone(browser, 10);
        }
        if (i == 3) {
          picture(browser, "pairwise.png");
          for (String scheme : List.of("light", "dark")) {
            browser.show("screen", scheme);
            assertThat(browser.axe()).as(scheme).isEmpty();
          }
        }
        if (i == 5) {
          // A slip, taken back.
          browser.press("b");
          untilDone(browser, 6);
          browser.press("u");
          untilDone(browser, 5);
        }
        boolean leftFirst = shown(browser, 1).startsWith("LEFT");
        String key =
            switch (i % 4) {
              case 0 -> leftFirst ? "1" : "2";
              case 1 -> leftFirst ? "ArrowLeft" : "ArrowRight";
              case 2 -> leftFirst ? "2" : "1";
              default -> i < 12 ? "t" : "b";
            };
        browser.press(key);
        untilDone(browser, i + 1);
      }
      assertThat(browser.text("h1")).contains("Thank you");
      assertThat(browser.value("document.title").asText()).isEqualTo("Rate answers");
      browser.press("Enter");
      votes = browser.downloaded("ratings-Ann_B_\u00fc.jsonl");
    }
    RateSummary summary = collect(votes);
    assertThat(summary.rejects()).isEmpty();
    assertThat(summary.results())
        .containsEntry("wins", 10L)
        .containsEntry("losses", 5L)
        .containsEntry("ties", 3L)
        .containsEntry("both_bad", 2L);
    assertThat(summary.raters().get(0).medianSeconds()).isBetween(0.001, 60.0);

    String data = Files.readString(page);
    int from = data.indexOf("application/json\">") + 18;
    long sides =
        Long.parseUnsignedLong(
            JSON.readTree(data.substring(from, data.indexOf("</script>", from)))
                .get("sides")
                .textValue());
    for (String line : Files.readAllLines(votes)) {
      JsonNode vote = JSON.readTree(line);
      long drawn =
          CounterRandom.key(
              CounterRandom.key(sides, fnv("Ann B. \u00fc")), fnv(vote.get("id").textValue()));
      assertThat(vote.get("shown_first").textValue()).isEqualTo(drawn < 0 ? "2" : "1");
    }
    assertThat(table("judgements"))
        .filteredOn(row -> row.getAs("id").equals("r0"))
        .extracting(row -> row.<String>getAs("answer_a"))
        .containsExactly("LEFT " + HOSTILE);
  }

  private static long fnv(String text) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < text.length(); i++) {
      hash = (hash ^ text.charAt(i)) * 0x100000001b3L;
    }
    return hash;
  }

  private static void picture(Browser browser, String name) throws Exception {
    browser.picture(Files.createDirectories(Path.of("target/pictures")).resolve(name));
  }

  @Test
  void aServedPageIsRatedByKeyboard() throws Exception {
    Path links = folder.resolve("links");
    RaterTokens tokens = RaterTokens.of(links, List.of("ann"));
    var served =
        new RatingServer.Served(
            List.of(AssignmentsTest.item("i1", false), AssignmentsTest.item("i2", false)),
            RatingPage.served(RateForm.PAIRWISE, Optional.empty()),
            "7",
            tokens,
            1);
    Path votes = folder.resolve("votes.jsonl");
    try (VoteLog log = VoteLog.open(votes);
        RatingServer server = RatingServer.start(served, log, "127.0.0.1", 0, Clock.systemUTC());
        Browser browser = Browser.start(folder)) {
      tokens.write(links, server.address());
      browser.open(Files.readString(links).strip().split("\t")[1]);
      untilDone(browser, 0);
      browser.press("t");
      untilDone(browser, 1);
      browser.press("u");
      untilDone(browser, 0);
      assertThat(browser.text("#notice"))
          .isEqualTo("Rate it again: until then the earlier vote counts.");
      browser.press("u");
      browser.press("b");
      untilDone(browser, 1);
      browser.press("u");
      untilDone(browser, 0);
      browser.press("1");
      untilDone(browser, 1);
      browser.reload();
      untilDone(browser, 1);
      browser.press("t");
      untilDone(browser, 2);
      assertThat(browser.text("h1")).isEqualTo("Thank you, ann");
      assertThat(server.open()).isZero();
    }
    List<String> verdicts = new ArrayList<>();
    for (String line : Files.readAllLines(votes)) {
      verdicts.add(JSON.readTree(line).get("verdict").textValue());
    }
    assertThat(verdicts)
        .hasSize(4)
        .startsWith("tie", "both_bad")
        .endsWith("tie")
        .element(2)
        .isIn("1", "2");
  }

  @Test
  void votesOfAnotherTabStay() throws Exception {
    List<String> a = new ArrayList<>();
    List<String> b = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      a.add(row("r" + i, "student", "LEFT " + i));
      b.add(row("r" + i, "teacher", "RIGHT " + i));
    }
    Path page = page(RateForm.PAIRWISE, a, b);
    Path votes;
    try (Browser browser = Browser.start(folder)) {
      begin(browser, page, "ann");
      browser.press("t");
      untilDone(browser, 1);
      // What the other tab keeps: the first item again and the second one.
      browser.value(
          "shelf = Object.keys(localStorage).find(one => one.endsWith('/ann'));"
              + "items = JSON.parse(document.getElementById('data').textContent).items;"
              + "kept = JSON.parse(localStorage.getItem(shelf));"
              + "kept.push({...kept[0], id: items[1].id, verdict: 'both_bad', seconds: 86400});"
              + "localStorage.setItem(shelf, JSON.stringify(kept));"
              + "dispatchEvent(new StorageEvent('storage', {key: shelf}))");
      untilDone(browser, 2);
      // Another one that the event has not told of.
      browser.value(
          "kept.push({...kept[0], id: items[3].id, verdict: 'both_bad'});"
              + "localStorage.setItem(shelf, JSON.stringify(kept))");
      // The tab was left open for two days.
      browser.value("now = performance.now(); performance.now = () => now + 2 * 86400 * 1000");
      browser.press("t");
      untilDone(browser, 4);
      browser.press("u");
      untilDone(browser, 3);
      browser.press("t");
      untilDone(browser, 4);
      browser.press("Enter");
      votes = browser.downloaded("ratings-ann.jsonl");
    }
    assertThat(Files.readAllLines(votes)).hasSize(4);
    RateSummary summary = collect(votes);
    assertThat(summary.rejects()).isEmpty();
    assertThat(summary.results()).containsEntry("ties", 2L).containsEntry("both_bad", 2L);
  }

  @Test
  void aBrowserThatKeepsNothingIsSaidSo() throws Exception {
    List<String> answers = new ArrayList<>();
    for (int i = 1; i <= 4; i++) {
      for (String id : List.of("r", "s")) {
        answers.add(row(id, "m" + i, "text of m" + i));
      }
    }
    Path page = page(RateForm.RANKING, answers, List.of());
    try (Browser browser = Browser.start(folder)) {
      begin(browser, page, "ann");
      browser.value("Storage.prototype.setItem = () => { throw new Error('full'); }");
      browser.press("3", "1", "4", "2", "Enter");
      untilDone(browser, 1);
      browser.press("3", "1");
      assertThat(browser.text("#notice")).startsWith("This browser keeps nothing");
      browser.press("4", "2", "Enter");
      untilDone(browser, 2);
      browser.press("Enter");
      assertThat(Files.readAllLines(browser.downloaded("ratings-ann.jsonl"))).hasSize(2);
    }
  }

  @Test
  void aRankingIsKeptByKeyboard() throws Exception {
    List<String> answers = new ArrayList<>();
    for (int i = 1; i <= 4; i++) {
      answers.add(row("r", "m" + i, "text of m" + i));
    }
    Path page = page(RateForm.RANKING, answers, List.of());
    Path votes;
    String first;
    try (Browser browser = Browser.start(folder)) {
      begin(browser, page, "ann");
      first = shown(browser, 3);
      browser.press("3", "1", "=", "4", "Enter", "Backspace", "4", "2");
      picture(browser, "ranking.png");
      browser.press("Enter");
      untilDone(browser, 1);
      browser.press("e");
      votes = browser.downloaded("ratings-ann.jsonl");
    }
    assertThat(JSON.readTree(Files.readString(votes)).get("ranking").toString())
        .isEqualTo("[[\"3\"],[\"1\"],[\"4\"],[\"2\"]]");
    assertThat(collect(votes).rejects()).isEmpty();
    assertThat(table("preferences"))
        .filteredOn(row -> first.equals(row.getAs("chosen")))
        .hasSize(3);
  }

  @Test
  void anAuditIsKeptByKeyboard() throws Exception {
    Path page =
        page(
            RateForm.AUDIT,
            List.of("{\"id\":\"r\",\"instruction\":\"Add.\",\"input\":\"1, 2\",\"output\":\"4\"}"),
            List.of());
    Path votes;
    try (Browser browser = Browser.start(folder)) {
      begin(browser, page, "ann");
      browser.press("y", "n", "n", "ArrowUp", "y", "n");
      picture(browser, "audit.png");
      browser.press("Enter");
      untilDone(browser, 1);
      browser.press("e");
      votes = browser.downloaded("ratings-ann.jsonl");
    }
    assertThat(collect(votes).results())
        .containsEntry("instruction_valid", 1.0)
        .containsEntry("input_fitting", 1.0)
        .containsEntry("output_right", 0.0);
  }

  @Test
  void aDemonstrationIsCorrectedOverAReload() throws Exception {
    Path page =
        page(
            RateForm.DEMONSTRATION,
            List.of("{\"id\":\"r\",\"instruction\":\"Add.\",\"input\":\"1, 2\",\"output\":\"4\"}"),
            List.of());
    Path votes;
    try (Browser browser = Browser.start(folder)) {
      begin(browser, page, "ann");
      browser.value("document.getElementById('answer').select()");
      browser.type("It is u, e and 3.");
      browser.reload();
      browser.until("document.getElementById('answer').value === 'It is u, e and 3.'");
      browser.value(
          "document.getElementById('answer').dispatchEvent(new KeyboardEvent('keydown', {key:"
              + " 'Enter', ctrlKey: true, bubbles: true}))");
      untilDone(browser, 1);
      browser.press("u");
      browser.until("document.getElementById('answer').value === 'It is u, e and 3.'");
      browser.value(
          "document.getElementById('answer').dispatchEvent(new KeyboardEvent('keydown', {key:"
              + " 'Enter', ctrlKey: true, bubbles: true}))");
      untilDone(browser, 1);
      browser.press("e");
      votes = browser.downloaded("ratings-ann.jsonl");
    }
    collect(votes);
    assertThat(table("instructions"))
        .extracting(row -> row.<String>getAs("output"))
        .containsExactly("It is u, e and 3.");
  }
}
