package dev.distillery.jobs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.testing.Browser;
import dev.distillery.spark.testing.LocalSpark;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser, by light, by dark and for print. ReportJobTest reads its text. */
@Timeout(300)
class ReportPageIT {
  private static final String HOSTILE =
      "Explain </td></table><script>document.title='broken'</script><img src=x"
          + " onerror=\"document.title='broken'\"> now";

  @TempDir Path folder;

  private Path page() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String text = i % 4 == 0 ? "Write a poem about river %d." : "Name the capital of land %d.";
      lines.add(
          String.format(
              Locale.ROOT,
              "{\"id\": \"i%d\", \"instruction\": \"%s\", \"output\": \"%s\", \"source\": \"%s\"}",
              i,
              text.formatted(i),
              "word ".repeat(i + 1),
              i < 30 ? "a" : "b"));
    }
    lines.add(
        "{\"id\": \"x\", \"instruction\": \"%s\", \"output\": \"no\", \"source\": \"a\"}"
            .formatted(HOSTILE.replace("\"", "\\\"")));
    Path page = folder.resolve("report.html");
    Map<String, List<String>> options =
        Map.of(
            "run-id",
            List.of("shown"),
            "warehouse",
            List.of(folder.resolve("warehouse").toString()),
            "input",
            List.of(Files.write(folder.resolve("rows.jsonl"), lines).toString()),
            "output",
            List.of(page.toString()));
    new ReportJob().run(LocalSpark.session(), OptionsBinder.of(ReportOptions.class).bind(options));
    return page;
  }

  @Test
  void thePageIsReadableByAllAndLoadsAndRunsNothing() throws Exception {
    assumeTrue(Browser.program().isPresent(), "No chromium on the path");
    Path page = page();
    try (Browser browser = Browser.start(folder)) {
      browser.open(page.toUri().toString());
      for (String scheme : List.of("light", "dark")) {
        browser.show("screen", scheme);
        assertThat(browser.axe()).as(scheme).isEmpty();
        double ground = brightness(picture(browser, scheme));
        assertThat(ground)
            .as(scheme)
            .isBetween(scheme.equals("dark") ? 0 : 200.0, scheme.equals("dark") ? 60 : 255.0);
      }
      browser.show("print", "dark");
      assertThat(brightness(picture(browser, "print"))).as("print").isGreaterThan(200);

      assertThat(browser.value("document.title").asText()).doesNotContain("broken");
      assertThat(browser.value("document.body.innerText").asText()).contains(HOSTILE);
      assertThat(browser.value("document.images.length").asInt()).isZero();
      assertThat(browser.value("performance.getEntriesByType('resource').length").asInt()).isZero();
      // Every picture is drawn within the page and has a name.
      assertThat(browser.value("document.querySelectorAll('svg').length").asInt())
          .isGreaterThanOrEqualTo(4);
      assertThat(
              browser
                  .value(
                      "[...document.querySelectorAll('svg')].filter(s => {const b ="
                          + " s.getBoundingClientRect(); return b.width < 50 || b.height < 20 ||"
                          + " b.right > innerWidth + 1 || !s.getAttribute('aria-label')}).length")
                  .asInt())
          .isZero();
      assertThat(browser.value("document.body.innerText").asText())
          .contains("instruction\tstring\t100.0%\t41");
      // The wheel: its colours are there, and its verbs are written.
      browser.show("screen", "light");
      browser.value(
          "[...document.querySelectorAll('svg')].find(s =>"
              + " s.textContent.includes('poem')).scrollIntoView()");
      assertThat(colours(picture(browser, "wheel"))).hasSizeGreaterThan(20);
    }
  }

  private BufferedImage picture(Browser browser, String name) throws IOException {
    Path file =
        Files.createDirectories(Path.of("target/pictures")).resolve("report-" + name + ".png");
    browser.picture(file);
    return ImageIO.read(file.toFile());
  }

  /** From 0, black, to 255, white: of the left edge, where nothing is written. */
  private static double brightness(BufferedImage image) {
    double sum = 0;
    for (int y = 0; y < image.getHeight(); y++) {
      int rgb = image.getRGB(2, y);
      sum += ((rgb >> 16 & 0xff) + (rgb >> 8 & 0xff) + (rgb & 0xff)) / 3.0;
    }
    return sum / image.getHeight();
  }

  private static Set<Integer> colours(BufferedImage image) {
    var colours = new HashSet<Integer>();
    for (int y = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++) {
        colours.add(image.getRGB(x, y));
      }
    }
    return colours;
  }
}
