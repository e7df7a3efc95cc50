package dev.distillery.core.rating;

import static java.util.Comparator.comparing;
import static java.util.Comparator.comparingInt;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/**
 * Ratings of models from pairwise votes (Bradley and Terry 1952): i wins against j by the chance 1
 * / (1 + exp(r_j - r_i)). A tie is half a win for each. The ratings are those under which the votes
 * are likeliest, by Newton's steps; their mean in a group is 0. Intervals are r +- 1.96 times the
 * standard error by the votes' information, against the group's mean.
 *
 * <p>The likeliest ratings exist only among models of which each has won, or tied, against each
 * other one at least through others (Ford 1957). So:
 *
 * <ul>
 *   <li>Models of two {@link Fit#groups groups} have no number against each other: they never met,
 *       not even through others, or all votes between the groups went one way.
 *   <li>A model that never lost, or never won, against the group that it met has no rating. Its
 *       interval is open above (below); the other end is the rating at which it would have won
 *       (lost) all these votes by a chance of 2.5%, were the others' ratings exact.
 * </ul>
 *
 * <p>A prior gives these a rating too: so many votes, half won each way, between every two models
 * that met, at least through others. It connects no models that never met.
 *
 * <p>Cost: a matrix of models times models, and its decomposition in each of some ten steps.
 */
public final class BradleyTerry {
  private BradleyTerry() {}

  /**
   * Votes between two models. A pair may come several times, in either order.
   *
   * @param first a model
   * @param second another
   * @param firstWins votes for the first
   * @param ties votes for neither
   * @param secondWins votes for the second
   */
  public record Votes(String first, String second, long firstWins, long ties, long secondWins) {
    public Votes {
      if (first.equals(second)) {
        throw new IllegalArgumentException(
            "Votes of '" + first + "' against itself: expected two models.");
      }
      if (firstWins < 0 || ties < 0 || secondWins < 0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "Votes of '%s' against '%s': expected 0 or more of each, found %d, %d ties, %d.",
                first,
                second,
                firstWins,
                ties,
                secondWins));
      }
    }
  }

  /** The unit of ratings. */
  public enum Scale {
    /** Natural logarithms of odds, around 0. */
    LOGIT(1, 0),
    /** 400 points are odds of 10 to 1, around 1000. */
    ELO(400 / Math.log(10), 1000);

    private final double unit;
    private final double mean;

    Scale(double unit, double mean) {
      this.unit = unit;
      this.mean = mean;
    }

    private OptionalDouble of(double logit) {
      return OptionalDouble.of(mean + unit * logit);
    }
  }

  /** Whether a model has a rating, or why not. */
  public enum Standing {
    RATED("rated"),
    NEVER_LOST("never lost: no finite rating"),
    NEVER_WON("never won: no finite rating"),
    ONE_SIDED("won all votes, or lost all, against each that it met: no finite rating"),
    NO_VOTES("no votes: no rating");

    private final String says;

    Standing(String says) {
      this.says = says;
    }

    /** In words. */
    public String says() {
      return says;
    }
  }

  /**
   * A model's rating.
   *
   * @param model its name
   * @param standing whether it has a rating, or why not
   * @param rating empty unless the standing is {@link Standing#RATED}
   * @param interval around the rating; an open end where nothing bounds it
   * @param votes what it won, tied and lost, without the prior
   */
  public record Rating(
      String model, Standing standing, OptionalDouble rating, Interval interval, WinRate votes) {}

  /**
   * All ratings.
   *
   * @param groups models that have numbers against each other, with those bounded by them, highest
   *     first; the largest group first. Who met no group stands alone.
   */
  public record Fit(List<List<Rating>> groups) {
    public Fit {
      groups = groups.stream().map(List::copyOf).toList();
    }
  }

  /**
   * The ratings of all models named.
   *
   * @param votes in any order
   * @param scale of the result
   * @param priorVotes votes added to each pair, half each way: 0 for none, or 0.001 to 1e6
   */
  public static Fit fit(Collection<Votes> votes, Scale scale, double priorVotes) {
    if (priorVotes != 0 && !(priorVotes >= 0.001 && priorVotes <= 1e6)) {
      throw new IllegalArgumentException(
          "Prior votes: expected 0, or 0.001 to 1000000, found " + priorVotes + ".");
    }
    return new Table(votes, scale).fit(priorVotes);
  }

  /** Votes as a table of half votes, models in the order of their names. */
  private static final class Table {
    private final Scale scale;
    private final List<String> models;
    private final double[][] wins; // [model, model], a tie is half a win
    private final long[][] counts; // [model, 3]: wins, ties, losses

    Table(Collection<Votes> votes, Scale scale) {
      this.scale = scale;
      Map<String, Integer> index = new TreeMap<>();
      votes.forEach(
          pair -> {
            index.put(pair.first(), 0);
            index.put(pair.second(), 0);
          });
      models = List.copyOf(index.keySet());
      for (int i = 0; i < models.size(); i++) {
        index.put(models.get(i), i);
      }
      wins = new double[models.size()][models.size()];
      counts = new long[models.size()][3];
      for (Votes pair : votes) {
        int i = index.get(pair.first());
        int j = index.get(pair.second());
        wins[i][j] += pair.firstWins() + pair.ties() / 2.0;
        wins[j][i] += pair.secondWins() + pair.ties() / 2.0;
        count(counts[i], pair.firstWins(), pair.ties(), pair.secondWins());
        count(counts[j], pair.secondWins(), pair.ties(), pair.firstWins());
      }
    }

    private static void count(long[] counts, long won, long tied, long lost) {
      counts[0] += won;
      counts[1] += tied;
      counts[2] += lost;
    }

    Fit fit(double priorVotes) {
      if (priorVotes > 0) {
        addPrior(priorVotes / 2);
      }
      List<BitSet> classes = classes(reach(false));
      List<BitSet> large = classes.stream().filter(members -> members.cardinality() > 1).toList();
      List<List<Rating>> groups = new ArrayList<>();
      List<int[]> members = new ArrayList<>();
      List<Likeliest> fits = new ArrayList<>();
      for (BitSet group : large) {
        int[] of = group.stream().toArray();
        Likeliest likeliest = Likeliest.of(wins, of);
        List<Rating> ratings = new ArrayList<>();
        for (int k = 0; k < of.length; k++) {
          double middle = likeliest.ratings()[k];
          double reach = Interval.NORMAL * likeliest.errors()[k];
          ratings.add(
              rating(
                  of[k],
                  Standing.RATED,
                  scale.of(middle),
                  new Interval(scale.of(middle - reach), scale.of(middle + reach))));
        }
        members.add(of);
        fits.add(likeliest);
        groups.add(ratings);
      }
      for (BitSet alone : classes) {
        if (alone.cardinality() == 1) {
          int model = alone.nextSetBit(0);
          int group = mostMet(model, members);
          if (group < 0) {
            groups.add(
                List.of(rating(model, standing(model), OptionalDouble.empty(), Interval.OPEN)));
          } else {
            Interval bounds = bounds(model, members.get(group), fits.get(group).ratings());
            groups.get(group).add(rating(model, standing(model), OptionalDouble.empty(), bounds));
          }
        }
      }
      groups.replaceAll(group -> group.stream().sorted(HIGHEST_FIRST).toList());
      groups.sort(
          comparingInt((List<Rating> group) -> -group.size()).thenComparing(Table::firstName));
      return new Fit(groups);
    }

    private static final Comparator<Rating> HIGHEST_FIRST =
        comparing(Table::place).reversed().thenComparing(Rating::model);

    private static double place(Rating rating) {
      boolean above =
          rating.standing() == Standing.NEVER_LOST || rating.interval().low().isPresent();
      return rating.rating().orElse(above ? Double.MAX_VALUE : -Double.MAX_VALUE);
    }

    private static String firstName(List<Rating> group) {
      return group.stream().map(Rating::model).min(Comparator.naturalOrder()).orElseThrow();
    }

    private Rating rating(int model, Standing standing, OptionalDouble rating, Interval interval) {
      long[] of = counts[model];
      return new Rating(
          models.get(model), standing, rating, interval, new WinRate(of[0], of[1], of[2]));
    }

    private Standing standing(int model) {
      long[] of = counts[model];
      if (of[0] + of[1] + of[2] == 0) {
        return Standing.NO_VOTES;
      }
      if (of[2] + of[1] == 0) {
        return Standing.NEVER_LOST;
      }
      return of[0] + of[1] == 0 ? Standing.NEVER_WON : Standing.ONE_SIDED;
    }

    private void addPrior(double half) {
      for (BitSet met : classes(reach(true))) {
        for (int i : met.stream().toArray()) {
          met.stream().filter(j -> j != i).forEach(j -> wins[i][j] += half);
        }
      }
    }

    /** Whom each model won against, at least through others; or met, where both ways count. */
    private BitSet[] reach(boolean bothWays) {
      int size = models.size();
      BitSet[] reach = new BitSet[size];
      for (int i = 0; i < size; i++) {
        reach[i] = new BitSet(size);
        reach[i].set(i);
        for (int j = 0; j < size; j++) {
          if (wins[i][j] > 0 || (bothWays && wins[j][i] > 0)) {
            reach[i].set(j);
          }
        }
      }
      for (int through = 0; through < size; through++) {
        for (int i = 0; i < size; i++) {
          if (reach[i].get(through)) {
            reach[i].or(reach[through]);
          }
        }
      }
      return reach;
    }

    /** Models that reach each other, in the order of their first. */
    private static List<BitSet> classes(BitSet[] reach) {
      List<BitSet> classes = new ArrayList<>();
      BitSet placed = new BitSet();
      for (int i = 0; i < reach.length; i++) {
        if (!placed.get(i)) {
          BitSet members = new BitSet();
          int from = i;
          reach[i].stream().filter(j -> reach[j].get(from)).forEach(members::set);
          placed.or(members);
          classes.add(members);
        }
      }
      return classes;
    }

    private int mostMet(int model, List<int[]> groups) {
      int most = -1;
      double votes = 0;
      for (int g = 0; g < groups.size(); g++) {
        double met = 0;
        for (int other : groups.get(g)) {
          met += wins[model][other] + wins[other][model];
        }
        if (met > votes) {
          most = g;
          votes = met;
        }
      }
      return most;
    }

    /** Of a model that won all its votes against a group, or lost all. */
    private Interval bounds(int model, int[] group, double[] ratings) {
      double won = 0;
      for (int other : group) {
        won += wins[model][other];
      }
      boolean above = won > 0;
      double low = -1e6;
      double high = 1e6;
      for (int step = 0; step < 100; step++) {
        double middle = (low + high) / 2;
        double chance = 0;
        for (int k = 0; k < group.length; k++) {
          double votes = wins[model][group[k]] + wins[group[k]][model];
          double ahead = above ? middle - ratings[k] : ratings[k] - middle;
          chance += votes * Likeliest.logChance(ahead);
        }
        if (chance < Math.log(Interval.TAIL) == above) {
          low = middle;
        } else {
          high = middle;
        }
      }
      OptionalDouble bound = scale.of((low + high) / 2);
      return above
          ? new Interval(bound, OptionalDouble.empty())
          : new Interval(OptionalDouble.empty(), bound);
    }
  }
}
