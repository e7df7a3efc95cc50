package dev.distillery.datasets.mix;

import java.io.Serializable;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits with their shares, as a user writes them: {@code train=0.9}, {@code test=0.1}. A group of
 * rows (the comparisons of one question, the instances of one task) falls into one split as a
 * whole, by a hash of the group's name.
 */
public final class SplitShares implements Serializable {
  private static final long serialVersionUID = 1L;

  private static final Pattern FORM =
      Pattern.compile("([A-Za-z][A-Za-z0-9_]{0,63})=([0-9]{0,10}\\.?[0-9]{0,18})");

  private static final BigDecimal PLACES = new BigDecimal(BigInteger.ONE.shiftLeft(63));

  private final ArrayList<String> names = new ArrayList<>();

  /** The place behind the last of each split. */
  private final ArrayList<BigInteger> ends = new ArrayList<>();

  private SplitShares() {}

  /**
   * Reads splits.
   *
   * @param texts each {@code NAME=SHARE}
   * @throws IllegalArgumentException where they are none; {@link #violations} says why
   */
  public static SplitShares of(List<String> texts) {
    List<String> violations = new ArrayList<>();
    SplitShares splits = read(texts, violations);
    if (!violations.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", violations));
    }
    return splits;
  }

  /** All that is wrong with splits: names, shares, and a sum that is not 1. None is right. */
  public static List<String> violations(List<String> texts) {
    List<String> violations = new ArrayList<>();
    if (!texts.isEmpty()) {
      read(texts, violations);
    }
    return violations;
  }

  private static SplitShares read(List<String> texts, List<String> violations) {
    var splits = new SplitShares();
    BigDecimal sum = BigDecimal.ZERO;
    for (String text : texts) {
      Matcher matcher = FORM.matcher(text);
      if (!matcher.matches() || !matcher.group(2).matches(".*[0-9].*")) {
        violations.add(
            "Option --split: expected NAME=SHARE such as train=0.9, found '" + text + "'");
        continue;
      }
      BigDecimal share = new BigDecimal(matcher.group(2));
      if (share.signum() <= 0) {
        violations.add("Option --split: expected a share over 0, found '" + text + "'");
      }
      if (splits.names.contains(matcher.group(1))) {
        violations.add("Option --split: '" + matcher.group(1) + "' stands twice");
      }
      sum = sum.add(share);
      splits.names.add(matcher.group(1));
      splits.ends.add(PLACES.multiply(sum).setScale(0, RoundingMode.HALF_EVEN).toBigInteger());
    }
    if (violations.isEmpty() && sum.compareTo(BigDecimal.ONE) != 0) {
      violations.add(
          "Option --split: expected shares with the sum 1, found "
              + sum.toPlainString()
              + " of "
              + texts);
    }
    return splits;
  }

  /** The splits' names, in their order. */
  public List<String> names() {
    return List.copyOf(names);
  }

  /** The split of a group. */
  public String of(long seed, String group) {
    BigInteger place = BigInteger.valueOf(HashDraw.place("split", seed, group));
    int split = 0;
    while (place.compareTo(ends.get(split)) >= 0) {
      split++;
    }
    return names.get(split);
  }
}
