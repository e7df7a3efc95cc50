package dev.distillery.core.rating;

/**
 * The ratings under which votes are likeliest, of models for which they exist.
 *
 * @param ratings natural logarithms of odds, mean 0
 * @param errors their standard errors, against the mean
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
record Likeliest(double[] ratings, double[] errors) {
  private static final int MAX_STEPS = 200;

  /** Of the square of the last step, in standard errors; a next one would be its square. */
  private static final double NEAR = 1e-12;

  /**
   * By Newton's steps, each halved until the votes get no less likely. Gradient: g_i = sum over j
   * of w_ij s_ji - w_ji s_ij; information: h_ij = -(w_ij + w_ji) s_ij s_ji, h_ii = the sum of the
   * others, with s_ij = 1 / (1 + exp(r_j - r_i)). The information is singular in one direction, the
   * mean, so 1/n is added to each cell, which leaves the mean where it is.
   *
   * @param wins [model, model], of more models than these
   * @param members the models, each of which won against each other at least through others
   */
  static Likeliest of(double[][] wins, int[] members) {
    int size = members.length;
    double[] ratings = new double[size];
    double likelihood = likelihood(wins, members, ratings);
    for (int step = 0; ; step++) {
      double[] gradient = new double[size];
      double[][] information = new double[size][size];
      for (int i = 0; i < size; i++) {
        for (int j = 0; j < size; j++) {
          information[i][j] += 1.0 / size;
          double votes = wins[members[i]][members[j]] + wins[members[j]][members[i]];
          if (i != j && votes > 0) {
            double chance = 1 / (1 + Math.exp(ratings[j] - ratings[i]));
            double others = 1 / (1 + Math.exp(ratings[i] - ratings[j])); // 1 - chance loses digits
            double weight = votes * chance * others;
            gradient[i] +=
                wins[members[i]][members[j]] * others - wins[members[j]][members[i]] * chance;
            information[i][j] -= weight;
            information[i][i] += weight;
          }
        }
      }
      double[][] root = cholesky(information);
      double[] newton = solve(root, gradient);
      double square = 0;
      for (int i = 0; i < size; i++) {
        square += gradient[i] * newton[i];
      }
      if (step == MAX_STEPS) {
        throw new IllegalStateException(
            "No ratings after " + MAX_STEPS + " steps: the last had a square of " + square + ".");
      }
      double[] next;
      double reached;
      double share = 1;
      do {
        next = ratings.clone();
        for (int i = 0; i < size; i++) {
          next[i] += share * newton[i];
        }
        reached = likelihood(wins, members, next);
        share /= 2;
      } while (reached < likelihood - 1e-12 * Math.abs(likelihood) && share > 1e-9);
      ratings = next;
      likelihood = reached;
      if (square < NEAR) {
        return new Likeliest(ratings, errors(root));
      }
    }
  }

  /** log(1 / (1 + exp(-ahead))). */
  static double logChance(double ahead) {
    return Math.min(ahead, 0) - Math.log1p(Math.exp(-Math.abs(ahead)));
  }

  private static double likelihood(double[][] wins, int[] members, double[] ratings) {
    double sum = 0;
    for (int i = 0; i < members.length; i++) {
      for (int j = 0; j < members.length; j++) {
        double won = wins[members[i]][members[j]];
        if (won > 0) {
          sum += won * logChance(ratings[i] - ratings[j]);
        }
      }
    }
    return sum;
  }

  /** The lower triangle whose product with its transpose is a positive definite matrix. */
  private static double[][] cholesky(double[][] matrix) {
    double[][] root = new double[matrix.length][matrix.length];
    for (int i = 0; i < matrix.length; i++) {
      for (int j = 0; j <= i; j++) {
        double rest = matrix[i][j];
        for (int k = 0; k < j; k++) {
          rest -= root[i][k] * root[j][k];
        }
        root[i][j] = i == j ? Math.sqrt(rest) : rest / root[j][j];
      }
    }
    return root;
  }

  private static double[] solve(double[][] root, double[] right) {
    double[] solved = forward(root, right);
    for (int i = root.length - 1; i >= 0; i--) {
      for (int k = i + 1; k < root.length; k++) {
        solved[i] -= root[k][i] * solved[k];
      }
      solved[i] /= root[i][i];
    }
    return solved;
  }

  private static double[] forward(double[][] root, double[] right) {
    double[] solved = right.clone();
    for (int i = 0; i < root.length; i++) {
      for (int k = 0; k < i; k++) {
        solved[i] -= root[i][k] * solved[k];
      }
      solved[i] /= root[i][i];
    }
    return solved;
  }

  /** Roots of the inverse's diagonal, without what was added for the mean. */
  private static double[] errors(double[][] root) {
    double[] errors = new double[root.length];
    for (int i = 0; i < root.length; i++) {
      double[] unit = new double[root.length];
      unit[i] = 1;
      double variance = -1.0 / root.length;
      for (double part : forward(root, unit)) {
        variance += part * part;
      }
      errors[i] = Math.sqrt(Math.max(0, variance));
    }
    return errors;
  }
}
