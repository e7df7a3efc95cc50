package dev.distillery.core.rating;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * The win rate that a model would have if its answers were as long as the baseline's (Dubois et al.
 * 2024, Length-Controlled AlpacaEval), as {@code alpaca_eval}'s glm_winrate.py fits it: a logistic
 * regression of the preference on
 *
 * <ul>
 *   <li>tanh(d / s), where d is the baseline's length less the model's and s the standard deviation
 *       of d over all items, with n - 1 below (0 where all lengths are equal);
 *   <li>how hard the item's instruction is, where that is known of every item;
 *   <li>a constant 1.
 * </ul>
 *
 * <p>The weights w minimise |w|_1 + C sum of the log loss, the constant's too. C is that of ten
 * from 1e-4 to 1e4, evenly spaced in the logarithm, with the least mean log loss in five-fold
 * cross-validation, the smallest of equals. The rate is the mean of the predictions with the first
 * feature 0. That is glm "length_controlled_noreg" of alpaca_eval; without difficulties
 * "length_controlled_minimal". Its "length_controlled_v1" adds annotations of a gamed baseline,
 * which are not read here.
 *
 * @param c the C that was chosen
 * @param weights of the length, of the difficulty where there is one, of the constant
 * @param winRate 0 to 1
 * @param standardError of the mean of the predictions, as alpaca_eval counts it; empty without
 *     difficulties, where all predictions are one number
 */
public record LengthControlled(
    double c, List<Double> weights, double winRate, OptionalDouble standardError) {
  private static final int FOLDS = 5;
  private static final int GRID = 10;
  private static final double NEAR = 1e-9;
  private static final int MAX_SWEEPS = 1000;

  public LengthControlled {
    weights = List.copyOf(weights);
  }

  /**
   * An item that was judged.
   *
   * @param preference 1 where the model won, 0.5 for a tie, 0 where the baseline won, or between;
   *     empty where the judge gave none: then it counts in s and in the mean only
   * @param baselineLength of the baseline's answer, in characters (code points)
   * @param modelLength of the model's answer
   * @param difficulty of the instruction
   */
  public record Item(
      OptionalDouble preference, long baselineLength, long modelLength, OptionalDouble difficulty) {
    public Item {
      if (preference.isPresent()
          && !(preference.getAsDouble() >= 0 && preference.getAsDouble() <= 1)) {
        throw new IllegalArgumentException(
            "Preference: expected 0 to 1, found " + preference.getAsDouble() + ".");
      }
      if (difficulty.isPresent() && !Double.isFinite(difficulty.getAsDouble())) {
        throw new IllegalArgumentException(
            "Difficulty: expected a finite number, found " + difficulty.getAsDouble() + ".");
      }
    }
  }

  /**
   * Fits items, whose order decides their fold.
   *
   * @return empty where fewer than five items have a preference
   */
  public static Optional<LengthControlled> fit(List<Item> items) {
    boolean difficult = items.stream().allMatch(item -> item.difficulty().isPresent());
    if (!difficult && items.stream().anyMatch(item -> item.difficulty().isPresent())) {
      throw new IllegalArgumentException(
          "Difficulties: expected one of every item or of none, found some missing.");
    }
    double[][] all = features(items, difficult);
    int[] judged = judged(items);
    if (judged.length < FOLDS) {
      return Optional.empty();
    }
    double[][] features = Arrays.stream(judged).mapToObj(i -> all[i]).toArray(double[][]::new);
    double[] wanted =
        Arrays.stream(judged).mapToDouble(i -> items.get(i).preference().orElseThrow()).toArray();
    double c = chooseC(features, wanted);
    double[] weights = weights(features, wanted, c);

    double[] predicted = new double[all.length];
    for (int i = 0; i < all.length; i++) {
      all[i][0] = 0;
      predicted[i] = chance(weights, all[i]);
    }
    double mean = Arrays.stream(predicted).average().orElseThrow();
    OptionalDouble error =
        difficult
            ? OptionalDouble.of(deviation(predicted) / Math.sqrt(predicted.length))
            : OptionalDouble.empty();
    return Optional.of(
        new LengthControlled(c, Arrays.stream(weights).boxed().toList(), mean, error));
  }

  private static int[] judged(List<Item> items) {
    return IntStream.range(0, items.size())
        .filter(i -> items.get(i).preference().isPresent())
        .toArray();
  }

  private static double[][] features(List<Item> items, boolean difficult) {
    double[] longer =
        items.stream()
            .mapToDouble(item -> (double) (item.baselineLength() - item.modelLength()))
            .toArray();
    double deviation = deviation(longer);
    double[][] features = new double[items.size()][];
    for (int i = 0; i < features.length; i++) {
      double length = deviation > 0 ? Math.tanh(longer[i] / deviation) : 0;
      features[i] =
          difficult
              ? new double[] {length, items.get(i).difficulty().orElseThrow(), 1}
              : new double[] {length, 1};
    }
    return features;
  }

  private static double deviation(double[] values) {
    double mean = Arrays.stream(values).average().orElse(0);
    double squares = Arrays.stream(values).map(x -> (x - mean) * (x - mean)).sum();
    return values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1));
  }

  /** Folds as scikit-learn's GroupKFold deals groups of one size: from the last one on, in turn. */
  private static double chooseC(double[][] features, double[] wanted) {
    double best = 0;
    double least = Double.POSITIVE_INFINITY;
    for (int step = 0; step < GRID; step++) {
      double c = Math.pow(10, -4 + 8.0 * step / (GRID - 1));
      double loss = 0;
      for (int fold = 0; fold < FOLDS; fold++) {
        int held = fold;
        int last = wanted.length - 1;
        int[] train =
            IntStream.rangeClosed(0, last).filter(i -> (last - i) % FOLDS != held).toArray();
        int[] test =
            IntStream.rangeClosed(0, last).filter(i -> (last - i) % FOLDS == held).toArray();
        double[] weights = weights(rows(features, train), rows(wanted, train), c);
        loss += loss(rows(features, test), rows(wanted, test), weights) / test.length;
      }
      if (loss < least) {
        least = loss;
        best = c;
      }
    }
    return best;
  }

  private static double[][] rows(double[][] of, int[] which) {
    return Arrays.stream(which).mapToObj(i -> of[i]).toArray(double[][]::new);
  }

  private static double[] rows(double[] of, int[] which) {
    return Arrays.stream(which).mapToDouble(i -> of[i]).toArray();
  }

  /**
   * The weights that minimise |w|_1 + C sum of the log loss, as liblinear's without an intercept:
   * one weight after another by a Newton step through the kink at 0, halved until the objective
   * falls enough (Yuan et al. 2010, CDN), until no weight moves or {@link #MAX_SWEEPS} are done, as
   * where a difficulty that is the same everywhere does what the constant does.
   */
  static double[] weights(double[][] features, double[] wanted, double c) {
    double[] weights = new double[features[0].length];
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
      double largest = 0;
      for (int j = 0; j < weights.length; j++) {
        double moved = move(features, wanted, c, weights, j);
        largest = Math.max(largest, Math.abs(moved));
      }
      if (largest < NEAR) {
        break;
      }
    }
    return weights;
  }

  private static double move(
      double[][] features, double[] wanted, double c, double[] weights, int j) {
    double gradient = 0;
    double curvature = 1e-12;
    for (int i = 0; i < wanted.length; i++) {
      double chance = chance(weights, features[i]);
      gradient += c * (chance - wanted[i]) * features[i][j];
      curvature += c * chance * (1 - chance) * features[i][j] * features[i][j];
    }
    double from = weights[j];
    double step;
    if (gradient + 1 <= curvature * from) {
      step = -(gradient + 1) / curvature;
    } else if (gradient - 1 >= curvature * from) {
      step = -(gradient - 1) / curvature;
    } else {
      step = -from;
    }
    double before = Math.abs(from) + c * loss(features, wanted, weights);
    double slope = gradient * step + Math.abs(from + step) - Math.abs(from);
    for (; Math.abs(step) >= NEAR; step /= 2, slope /= 2) {
      weights[j] = from + step;
      if (Math.abs(weights[j]) + c * loss(features, wanted, weights) <= before + 0.01 * slope) {
        return step;
      }
    }
    weights[j] = from;
    return 0;
  }

  private static double loss(double[][] features, double[] wanted, double[] weights) {
    double sum = 0;
    for (int i = 0; i < wanted.length; i++) {
      double ahead = score(weights, features[i]);
      sum -= wanted[i] * Likeliest.logChance(ahead) + (1 - wanted[i]) * Likeliest.logChance(-ahead);
    }
    return sum;
  }

  private static double chance(double[] weights, double[] features) {
    return 1 / (1 + Math.exp(-score(weights, features)));
  }

  private static double score(double[] weights, double[] features) {
    double sum = 0;
    for (int j = 0; j < weights.length; j++) {
      sum += weights[j] * features[j];
    }
    return sum;
  }
}
