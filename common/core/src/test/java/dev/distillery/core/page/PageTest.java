package dev.distillery.core.page;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class PageTest {
  private static final String HOSTILE = "<script src='http://x'>\"&\n</script>";

  @Test
  void textIsShownAndNeverRun() {
    String html =
        new Page(HOSTILE)
            .heading(HOSTILE)
            .paragraph(HOSTILE)
            .table(List.of(HOSTILE), List.of(List.of(HOSTILE)))
            .plot(
                new LinePlot(
                    HOSTILE,
                    false,
                    List.of(
                        new LinePlot.Line(HOSTILE, new double[] {1, 2}, new double[] {3, 4}),
                        new LinePlot.Line("b", new double[] {1}, new double[] {3}))))
            .html();

    assertThat(html)
        .doesNotContain("<script")
        .doesNotContain("src='http")
        .contains("&lt;script src=&#39;http://x&#39;&gt;&quot;&amp;")
        .contains("default-src 'none'");
  }

  @Test
  void aPlotLeavesGapsWhereThereIsNothingToShow() throws Exception {
    double[] x = {1, 2, 3, 4, 5};
    double[] y = {1, 10, Double.NaN, 100, 0};
    Document linear = parse(plot(false, x, y));
    Document logarithmic = parse(plot(true, x, y));

    assertThat(points(linear)).hasSize(2);
    assertThat(points(linear).get(1).split(" ")).hasSize(2);
    assertThat(points(logarithmic)).as("0 has no logarithm").hasSize(2);
    String[] first = points(logarithmic).get(0).split(" ");
    String alone = points(logarithmic).get(1).split(" ")[0];
    double low = Double.parseDouble(first[0].split(",")[1]);
    double middle = Double.parseDouble(first[1].split(",")[1]);
    double high = Double.parseDouble(alone.split(",")[1]);
    assertThat(low - middle)
        .as("decades are equally high")
        .isCloseTo(middle - high, org.assertj.core.api.Assertions.within(0.2));
    assertThat(plot(false, new double[0], new double[0])).contains("No value to show");
    assertThat(parse(plot(false, new double[] {7}, new double[] {0}))).isNotNull();
  }

  private static String plot(boolean logarithmic, double[] x, double[] y) {
    return new LinePlot("t", logarithmic, List.of(new LinePlot.Line("a", x, y))).svg();
  }

  private static Document parse(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
  }

  private static List<String> points(Document svg) {
    var lines = svg.getElementsByTagName("polyline");
    return java.util.stream.IntStream.range(0, lines.getLength())
        .mapToObj(i -> lines.item(i).getAttributes().getNamedItem("points").getNodeValue())
        .toList();
  }
}
