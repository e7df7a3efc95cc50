package dev.distillery.jobs.serve;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.testing.Browser;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How the page shows Markdown, in a real browser; what is expected is CommonMark's and GFM's. */
@Timeout(300)
class MarkdownIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The elements without what is ours: directions, buttons, labels. */
  private static final String SHOWN =
      "(text => {const into = document.createElement('div');"
          + " markdown.shown(into)(text);into.querySelectorAll('button, .host').forEach(one =>"
          + " one.remove());return into.innerHTML.replace(/"
          + " (dir|tabindex|role|aria-label|rel|target|class)=\"[^\"]*\"/g,"
          + " '').replace(/<bdi>.*?<\\/bdi>/g, '')})(%s)";

  @TempDir static Path folder;
  private static Browser browser;

  @BeforeAll
  static void begin() throws Exception {
    assumeTrue(Browser.program().isPresent(), "No chromium on the path");
    browser = Browser.start(folder);
    Path page = Files.writeString(folder.resolve("page.html"), ChatPage.html(false));
    browser.open(page.toUri().toString());
  }

  @AfterAll
  static void end() {
    if (browser != null) {
      browser.close();
    }
  }

  private static String json(String text) {
    return JSON.valueToTree(text).toString();
  }

  /** Line ends are written as ⏎. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\u0007',
      value = {
        "a⏎b⏎⏎c | <p>a<br>b</p><p>c</p>",
        "**a** __b__ *c* _d_ ~~e~~ ***f*** | <p><strong>a</strong> <strong>b</strong> <em>c</em>"
            + " <em>d</em> <del>e</del> <strong><em>f</em></strong></p>",
        "snake_case_name 2 * 3 * 4 **open | <p>snake_case_name 2 * 3 * 4 **open</p>",
        "*a **b* c** | <p><em>a **b</em> c**</p>",
        "\\*a\\* \\\\ \\q | <p>*a* \\ \\q</p>",
        "`a*b*` ``c`d`` `e | <p><code>a*b*</code> <code>c`d</code> `e</p>",
        "# A #⏎### B⏎#C | <h3>A</h3><h5>B</h5><p>#C</p>",
        "a⏎***⏎b | <p>a</p><hr><p>b</p>",
        "- a⏎- b⏎  - c⏎⏎  d⏎- e | <ul><li><p>a</p></li><li><p>b</p><ul><li><p>c</p></li></ul>"
            + "<p>d</p></li><li><p>e</p></li></ul>",
        "3. a⏎4. b⏎   ```⏎   x⏎   ```⏎c | <ol start=\"3\"><li><p>a</p></li><li><p>b</p><div><div>"
            + "<span></span></div><pre><code>x</code></pre></div></li></ol><p>c</p>",
        "In⏎2020. It | <p>In<br>2020. It</p>",
        "> a⏎> > b⏎c | <blockquote><p>a</p><blockquote><p>b</p></blockquote></blockquote><p>c</p>",
        "```py⏎x = *1*⏎``⏎```⏎y | <div><div><span>py</span></div><pre><code>x ="
            + " *1*⏎``</code></pre></div><p>y</p>",
        "```⏎half | <div><div><span></span></div><pre><code>half</code></pre></div>",
        "<b>&amp;</b> | <p>&lt;b&gt;&amp;amp;&lt;/b&gt;</p>",
        "[a *b*](https://x.example/) | <p><a href=\"https://x.example/\">a <em>b</em></a></p>",
        "[a](javascript:x) [b] (c) [d](/e) | <p>[a](javascript:x) [b] (c) [d](/e)</p>",
        "see https://x.example/a_(b). | <p>see <a href=\"https://x.example/a_(b)\">"
            + "https://x.example/a_(b)</a>.</p>",
        "[m](mailto:a@b.example) ftp://x | <p><a href=\"mailto:a@b.example\">m</a> ftp://x</p>",
      })
  void isShownAs(String text, String html) {
    String shown = browser.value(SHOWN.formatted(json(text.replace('⏎', '\n')))).asText();
    assertThat(shown).isEqualTo(html.replace('⏎', '\n'));
  }

  @Test
  void tablesAreShown() {
    String text = "a|b\n:--|--:\n1|`x` \\| *y*\n| 2 |\nend";
    assertThat(browser.value(SHOWN.formatted(json(text))).asText())
        .isEqualTo(
            "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td><code>x</code>"
                + " | <em>y</em></td></tr><tr><td>2</td></tr></tbody></table></div><p>end</p>");
  }

  /** Whatever the pieces, and although settled blocks are not built again. */
  @Test
  void aTextThatGrowsEndsAsOneThatIsWhole() {
    String text =
        "Intro⏎1. one⏎2. two⏎⏎   more⏎- x⏎*y* z⏎---⏎|a|b|⏎|-|-|⏎|1|2|⏎⏎```js⏎# no⏎⏎```⏎> q⏎> - r⏎"
            + "⏎last **bold**\r⏎## End⏎***bold*** line⏎* item⏎+ other⏎text⏎| c |⏎|--- x⏎";
    text = text.replace('⏎', '\n');
    assertThat(
            browser
                .value(
                    "(text => [1, 2, 3, 7].every(size => {const [grown, whole] = ['a', 'b'].map(()"
                        + " => document.createElement('div')); const show = markdown.shown(grown);"
                        + " for (let at = 0; at < text.length; at += size) show(text.slice(0, at));"
                        + " show(text); markdown.shown(whole)(text); return grown.innerHTML ==="
                        + " whole.innerHTML}))(%s)".formatted(json(text)))
                .asBoolean())
        .isTrue();
  }

  /** Each of 200 thousand characters; what is quadratic takes minutes. */
  @Test
  void timeIsLinear() {
    var texts = new ArrayList<String>();
    for (String part :
        List.of(
            "*a ",
            "_a *b **c ~~d ",
            "[",
            "](",
            "[a](b",
            "![",
            "`",
            "a`b``c",
            "<https://",
            "https://x",
            "(",
            "> ",
            "- ",
            "1. a\n",
            "#",
            "# #",
            "~",
            "~~~~`\n",
            "|",
            "a|b\n-|-\n",
            " \n",
            "\\",
            "- - - x",
            "http",
            "h",
            "\n\n",
            "  - a\n",
            "*a **b ")) {
      texts.add(part.repeat(200_000 / part.length()));
    }
    texts.add("~".repeat(200_000) + "`");
    texts.add("a|".repeat(50_000) + "\n" + "-|".repeat(50_000) + "\n" + "|\n".repeat(20_000));
    var run = new StringBuilder();
    for (int i = 1; i < 600; i++) {
      run.append("`".repeat(i)).append(' ');
    }
    texts.add(run.toString());
    for (String text : texts) {
      long begun = System.nanoTime();
      assertThat(
              browser
                  .value(
                      "markdown.shown(document.createElement('div'))(%s) === undefined"
                          .formatted(json(text)))
                  .asBoolean())
          .isTrue();
      assertThat((System.nanoTime() - begun) / 1e9).as(text.substring(0, 20)).isLessThan(20);
    }
  }
}
