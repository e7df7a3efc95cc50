package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.From;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class HtmlToMarkdownTest {
  @TestFactory
  List<DynamicTest> isWhatMarkdownifyMakesOfIt() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    try (InputStream in = getClass().getResourceAsStream("/golden/html-to-markdown.json")) {
      for (JsonNode golden : new ObjectMapper().readTree(in)) {
        String html = golden.get("html").textValue();
        tests.add(
            DynamicTest.dynamicTest(
                "page " + tests.size(),
                () ->
                    assertThat(HtmlToMarkdown.convert(html))
                        .isEqualTo(golden.get("markdown").textValue())));
      }
    }
    assertThat(tests).hasSizeGreaterThan(25);
    return tests;
  }

  @Test
  void dropsScriptsAndStyles() {
    assertThat(HtmlToMarkdown.convert("a<script>if (x < y) {}</SCRIPT>b<style>p {}</style>c"))
        .isEqualTo("abc");
  }

  @Test
  void keepsTheSemicolonOfAnUnknownReference() {
    assertThat(HtmlToMarkdown.convert("p = &node; q")).isEqualTo("p = &node; q");
  }

  @Test
  void readsANameWithoutSemicolonOnlyWhereABrowserDoes() {
    assertThat(HtmlToMarkdown.convert("?a=1&lang=en &copy 2020")).isEqualTo("?a=1&lang=en © 2020");
    assertThat(HtmlToMarkdown.convert("<a href=\"?a=1&copy=2\">x</a>"))
        .isEqualTo("[x](?a=1&copy=2)");
  }

  @Test
  void keepsTheTextOfElementsThatAreTooDeep() {
    String html = "<div>".repeat(10_000) + "bottom" + "</div>".repeat(10_000) + "<b>after</b>";
    assertThat(HtmlToMarkdown.convert(html)).isEqualTo("bottom**after**");
  }

  @Test
  void refusesNestingThatWouldGrowWithoutBound() {
    String html = "<blockquote>".repeat(100) + "x\n".repeat(200_000);
    assertThatThrownBy(() -> HtmlToMarkdown.convert(html))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("nested too deeply");
  }

  @Test
  void takesLinearTimeOnTagsThatNeverEnd() {
    for (String piece :
        List.of("<a ", "<a b=\"", "<a b='>\" ", "</", "<!--", "<?", "&", "&#", "<script>")) {
      String html = piece.repeat(1_000_000 / piece.length());
      Assertions.assertTimeoutPreemptively(
          Duration.ofSeconds(20), () -> HtmlToMarkdown.convert(html), () -> "Slow on " + piece);
    }
  }

  @Property(tries = 500, seed = "20260801")
  void neverFailsOnShortPages(@ForAll @Size(max = 40) List<@From("pieces") String> page) {
    assertThat(HtmlToMarkdown.convert(String.join("", page))).isNotNull();
  }

  @Provide
  Arbitrary<String> pieces() {
    return Arbitraries.oneOf(
        Arbitraries.of(
            "<p>",
            "</p>",
            "<ul>",
            "<li>",
            "</ul>",
            "<table>",
            "<tr>",
            "<td>",
            "<pre>",
            "<code>",
            "</code>",
            "</pre>",
            "<a href='x'>",
            "</a>",
            "<br>",
            "<",
            ">",
            "&",
            "&amp;",
            "&#",
            "\n",
            " ",
            "<!--",
            "-->",
            "<?",
            "\"",
            "'",
            "="),
        Arbitraries.strings().ofMaxLength(5));
  }
}
