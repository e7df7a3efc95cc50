package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sixteen times the page takes some sixteen times the bytes, whatever it is made of. */
class LinearHtmlTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "<a",
        "<a ",
        "<a b='",
        "<a b=\"",
        "</a",
        "<!",
        "<!--",
        "<?",
        "<",
        "&",
        "&#",
        "&a",
        "<p>",
        "<div\n",
        "</p>",
        "<script>",
        "<li><ul>"
      })
  void aPageTakesMemoryInProportion(String piece) {
    long small = allocated("<p>" + piece.repeat((1 << 16) / piece.length()));
    long large = allocated("<p>" + piece.repeat((1 << 20) / piece.length()));
    assertThat(large / (double) Math.max(small, 1 << 16)).isLessThan(24);
  }

  private static long allocated(String html) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    try {
      HtmlToMarkdown.convert(html);
    } catch (IllegalArgumentException e) {
      // Too deep a page is refused; until then it cost what it cost.
      assertThat(e).hasMessageContaining("nested");
    }
    return threads.getCurrentThreadAllocatedBytes() - before;
  }
}
