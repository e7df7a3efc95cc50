package dev.distillery.spark.warehouse;

import dev.distillery.core.run.JobException;
import java.math.BigDecimal;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An input and how often it is passed over (in training: in an epoch), as a user writes them:
 * {@code REF} or {@code REF=weight}. The weight is what stands behind the last {@code =} where that
 * is a plain number; a name that ends so itself is written with {@code =1}.
 *
 * @param ref table, table@run_id, or files
 * @param weight passes, over 0
 */
public record WeightedRef(String ref, BigDecimal weight) {
  private static final Pattern FORM = Pattern.compile("(.+)=([0-9]+(?:\\.[0-9]+)?)");

  /** More passes than this are a number gone wrong. */
  private static final BigDecimal MOST = BigDecimal.valueOf(10_000);

  /**
   * Reads one.
   *
   * @throws JobException if the weight is 0 or beyond 10,000
   */
  public static WeightedRef parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return new WeightedRef(text, BigDecimal.ONE);
    }
    BigDecimal weight = new BigDecimal(matcher.group(2));
    if (weight.signum() == 0 || weight.compareTo(MOST) > 0) {
      throw JobException.invalid(
          "Option --input: expected a weight over 0 and up to %s passes, found '%s'; leave the input out, or write =1 behind a name that ends so"
              .formatted(MOST, text));
    }
    return new WeightedRef(matcher.group(1), weight);
  }
}
