package dev.distillery.jobs.reward;

import dev.distillery.core.page.LinePlot;
import dev.distillery.core.page.Page;
import dev.distillery.jobs.reward.RewardSummary.Group;
import java.util.List;
import java.util.Locale;

/** {@code held-out.html}: what a reward model is worth, for a person. */
final class HeldOutPage {
  static final String FILE = "held-out.html";

  /** Points of a curve that are drawn. */
  private static final int POINTS = 200;

  static final List<String> GROUPS = List.of("", "pairs", "accuracy", "mean margin");
  static final List<String> RULES = List.of("rule", "on the training part", "held out");

  private HeldOutPage() {}

  static String html(HeldOut held) {
    Page page = new Page("Reward model on held-out comparisons");
    page.paragraph(held.describe());
    page.table(
        List.of("figure", "value"),
        held.figures().entrySet().stream()
            .map(figure -> List.of(figure.getKey(), number(figure.getValue())))
            .toList());
    page.heading("What looks alone would get");
    page.paragraph(
        "Share of comparisons that each rule decides as people did; equal looks count a half.");
    page.table(RULES, rules(held));
    page.heading("By source").table(GROUPS, cells(held.bySource()));
    page.heading("By characters that the chosen answer has more")
        .table(GROUPS, cells(held.byLength()));
    page.heading("Margins and calibration");
    page.plot(
        new LinePlot(
            "Comparisons by score of the chosen answer minus that of the other",
            false,
            List.of(
                new LinePlot.Line(
                    "comparisons", steps(held.margins().from()), bars(held.margins().counts())))));
    double[] predicted = held.evaluation().predicted();
    page.plot(
        new LinePlot(
            "What came true by what was promised: sigma of the difference, both orders",
            false,
            List.of(
                new LinePlot.Line("observed", predicted, held.evaluation().observed()),
                new LinePlot.Line("perfect", predicted, predicted))));
    page.plot(
        new LinePlot(
            "ROC: right orders found by wrong ones taken",
            false,
            List.of(
                new LinePlot.Line(
                    "model",
                    thinned(held.evaluation().falsePositives()),
                    thinned(held.evaluation().truePositives())),
                new LinePlot.Line("a coin", new double[] {0, 1}, new double[] {0, 1}))));
    return page.html();
  }

  /** A curve's points, the first and the last among them. */
  private static double[] thinned(double[] points) {
    int count = Math.min(POINTS, points.length);
    double[] some = new double[count];
    for (int i = 0; i < count; i++) {
      some[i] = points[count == 1 ? 0 : (int) ((long) i * (points.length - 1) / (count - 1))];
    }
    return some;
  }

  static List<List<String>> cells(List<Group> groups) {
    return groups.stream()
        .map(
            group ->
                List.of(
                    group.name(),
                    "" + group.pairs(),
                    number(group.accuracy()),
                    number(group.margin())))
        .toList();
  }

  static List<List<String>> rules(HeldOut held) {
    return held.rules().stream()
        .map(rule -> List.of(rule.name(), number(rule.training()), number(rule.heldOut())))
        .toList();
  }

  private static String number(Number value) {
    return value instanceof Long || value instanceof Integer
        ? value.toString()
        : String.format(Locale.ROOT, "%.4f", value.doubleValue());
  }

  /** A bar's two ends. */
  private static double[] steps(double[] from) {
    double width = from.length > 1 ? from[1] - from[0] : 1;
    double[] steps = new double[2 * from.length];
    for (int i = 0; i < from.length; i++) {
      steps[2 * i] = from[i];
      steps[2 * i + 1] = from[i] + width;
    }
    return steps;
  }

  private static double[] bars(double[] counts) {
    double[] bars = new double[2 * counts.length];
    for (int i = 0; i < counts.length; i++) {
      bars[2 * i] = counts[i];
      bars[2 * i + 1] = counts[i];
    }
    return bars;
  }
}
