package dev.distillery.core.rating;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * How far raters agree on the same items, beyond chance. It keeps whole numbers only (pairs of
 * labels in an item, by how many labels the item has), so parts may be added and merged in any
 * order to the same figures. Not for several threads at once.
 *
 * <p>An item with one label has no pair and says nothing of agreement; one rater alone gives no
 * figure. Where all labels are the same category, chance explains everything: kappa and alpha are
 * 0/0, hence empty, while {@link #rawAgreement()} is 1.
 */
public final class Agreement {
  /** What a difference between two categories counts, in {@link #krippendorffAlpha}. */
  public enum Level {
    /** All differences are alike. */
    NOMINAL,
    /** Categories have an order: the labels given between two of them count. */
    ORDINAL,
    /** Categories are numbers: the square of their difference counts. */
    INTERVAL
  }

  private final List<String> categories;
  private final Map<String, Integer> index = new HashMap<>();

  /** By labels of an item: pairs of its labels, [category, category], both ways. */
  private final TreeMap<Integer, long[][]> pairs = new TreeMap<>();

  /**
   * @param categories the labels that there are, each once, in their order where that counts
   */
  public Agreement(List<String> categories) {
    this.categories = List.copyOf(categories);
    for (String category : categories) {
      if (index.put(category, index.size()) != null) {
        throw new IllegalArgumentException("Category '" + category + "' is given twice.");
      }
    }
  }

  /**
   * Adds an item.
   *
   * @param labels what its raters said, one label each, in any order; who did not rate it is left
   *     out
   */
  public void add(Collection<String> labels) {
    add(labels, 1);
  }

  /**
   * Adds items that have the same labels.
   *
   * @param items how many there are
   */
  public void add(Collection<String> labels, long items) {
    long[] counts = new long[categories.size()];
    labels.forEach(label -> counts[place(label)]++);
    long[][] sums = pairs.computeIfAbsent(labels.size(), unused -> square());
    for (int c = 0; c < counts.length; c++) {
      for (int k = 0; k < counts.length; k++) {
        sums[c][k] += items * counts[c] * (counts[k] - (c == k ? 1 : 0));
      }
    }
  }

  private int place(String label) {
    Integer place = index.get(label);
    if (place == null) {
      throw new IllegalArgumentException(
          "Label '" + label + "': expected one of " + String.join(", ", categories) + ".");
    }
    return place;
  }

  private long[][] square() {
    return new long[categories.size()][categories.size()];
  }

  /** Adds the items of another part, which has the same categories. */
  public void merge(Agreement part) {
    if (!categories.equals(part.categories)) {
      throw new IllegalArgumentException(
          "Categories: expected " + categories + ", found " + part.categories + ".");
    }
    part.pairs.forEach(
        (labels, added) -> {
          long[][] sums = pairs.computeIfAbsent(labels, unused -> square());
          for (int c = 0; c < sums.length; c++) {
            for (int k = 0; k < sums.length; k++) {
              sums[c][k] += added[c][k];
            }
          }
        });
  }

  /** The share of pairs of raters of an item that gave it the same label. */
  public OptionalDouble rawAgreement() {
    long same = 0;
    long all = 0;
    for (long[][] sums : pairs.values()) {
      for (int c = 0; c < sums.length; c++) {
        same += sums[c][c];
        all += sum(sums[c]);
      }
    }
    return all == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) same / all);
  }

  /**
   * Fleiss' kappa (Fleiss 1971): (P - Pe) / (1 - Pe), where P is the raw agreement and Pe the sum
   * of the squares of the categories' shares. Empty where items have different numbers of labels,
   * fewer than two, or all the same label.
   */
  public OptionalDouble fleissKappa() {
    OptionalDouble raw = rawAgreement();
    if (pairs.size() != 1 || raw.isEmpty()) {
      return OptionalDouble.empty();
    }
    long[][] sums = pairs.firstEntry().getValue();
    double all = 0;
    double squares = 0;
    for (long[] row : sums) {
      double share = sum(row);
      all += share;
      squares += share * share;
    }
    return kappa(raw.getAsDouble(), squares, all * all);
  }

  /**
   * Cohen's kappa of two raters (Cohen 1960): (P - Pe) / (1 - Pe), where P is the share of items
   * with the same label and Pe the sum over categories of the product of both raters' shares. Empty
   * where there is no item, or both gave one and the same label to all.
   *
   * @param table items by [label of one rater, label of the other], square
   */
  public static OptionalDouble cohenKappa(long[][] table) {
    double all = 0;
    double same = 0;
    double products = 0;
    for (int c = 0; c < table.length; c++) {
      if (table[c].length != table.length) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "Row %d of a table of two raters: expected %d labels, found %d.",
                c,
                table.length,
                table[c].length));
      }
      double column = 0;
      for (long[] row : table) {
        column += row[c];
      }
      all += column;
      same += table[c][c];
      products += sum(table[c]) * column;
    }
    return all == 0 ? OptionalDouble.empty() : kappa(same / all, products, all * all);
  }

  /**
   * The interval of {@link #cohenKappa}: kappa less and plus 1.96 standard errors, by the variance
   * of large samples (Fleiss, Cohen and Everitt 1969), where items are independent. Empty where
   * kappa is.
   */
  public static Optional<Interval> cohenKappaInterval(long[][] table) {
    OptionalDouble found = cohenKappa(table);
    if (found.isEmpty()) {
      return Optional.empty();
    }
    double kappa = found.getAsDouble();
    double n = 0;
    double[] rows = new double[table.length];
    double[] columns = new double[table.length];
    for (int i = 0; i < table.length; i++) {
      for (int j = 0; j < table.length; j++) {
        n += table[i][j];
        rows[i] += table[i][j];
        columns[j] += table[i][j];
      }
    }
    double chance = 0; // p_e
    double same = 0; // sum of p_ii (1 - (p_i. + p_.i) (1 - kappa))^2
    double other = 0; // sum over i != j of p_ij (p_.i + p_j.)^2
    for (int i = 0; i < table.length; i++) {
      chance += rows[i] / n * columns[i] / n;
      for (int j = 0; j < table.length; j++) {
        double share = table[i][j] / n;
        double marginals = (columns[i] + rows[j]) / n;
        if (i == j) {
          same += share * Math.pow(1 - marginals * (1 - kappa), 2);
        } else {
          other += share * marginals * marginals;
        }
      }
    }
    double variance =
        (same + Math.pow(1 - kappa, 2) * other - Math.pow(kappa - chance * (1 - kappa), 2))
            / Math.pow(1 - chance, 2)
            / n;
    double half = Interval.NORMAL * Math.sqrt(Math.max(0, variance));
    return Optional.of(Interval.of(kappa - half, kappa + half));
  }

  /** Of the raw agreement and that by chance, which is a fraction so that 1 is seen exactly. */
  private static OptionalDouble kappa(double raw, double above, double below) {
    double chance = above / below;
    return above == below
        ? OptionalDouble.empty()
        : OptionalDouble.of((raw - chance) / (1 - chance));
  }

  /**
   * Krippendorff's alpha (Krippendorff 2011, Computing Krippendorff's Alpha-Reliability): 1 - Do /
   * De, where Do is the difference within items and De that of all labels, whoever gave them. Items
   * may have any number of labels; those with fewer than two are left out. Empty where no item has
   * two labels, or all are the same.
   *
   * @param level what a difference counts; {@link Level#INTERVAL} needs categories that are numbers
   */
  public OptionalDouble krippendorffAlpha(Level level) {
    int size = categories.size();
    double[][] coincidences = new double[size][size];
    double[] totals = new double[size]; // n_c
    pairs.forEach(
        (labels, sums) -> {
          for (int c = 0; labels > 1 && c < size; c++) {
            for (int k = 0; k < size; k++) {
              coincidences[c][k] += (double) sums[c][k] / (labels - 1);
            }
            totals[c] += (double) sum(sums[c]) / (labels - 1);
          }
        });
    double all = 0;
    double within = 0;
    double expected = 0;
    double[][] differences = differences(level, totals);
    for (int c = 0; c < size; c++) {
      all += totals[c];
      for (int k = 0; k < size; k++) {
        within += coincidences[c][k] * differences[c][k];
        expected += totals[c] * totals[k] * differences[c][k];
      }
    }
    return expected == 0
        ? OptionalDouble.empty()
        : OptionalDouble.of(1 - (all - 1) * within / expected);
  }

  /** The squares of the differences between categories. */
  private double[][] differences(Level level, double[] totals) {
    double[][] squares = new double[totals.length][totals.length];
    for (int c = 0; c < totals.length; c++) {
      double between = totals[c] / 2;
      for (int k = c + 1; k < totals.length; k++) {
        double difference =
            switch (level) {
              case NOMINAL -> 1;
              case ORDINAL -> between + totals[k] / 2;
              case INTERVAL -> number(categories.get(k)) - number(categories.get(c));
            };
        squares[c][k] = difference * difference;
        squares[k][c] = squares[c][k];
        between += totals[k];
      }
    }
    return squares;
  }

  private static double number(String category) {
    double number;
    try {
      number = Double.parseDouble(category);
    } catch (NumberFormatException e) {
      number = Double.NaN;
    }
    if (!(Math.abs(number) < 1e100)) {
      throw new IllegalArgumentException(
          "Category '" + category + "': expected a number for differences of level interval.");
    }
    return number;
  }

  private static long sum(long[] row) {
    long sum = 0;
    for (long value : row) {
      sum += value;
    }
    return sum;
  }
}
