/**
 * What many verdicts say together: win rates, agreement of raters, ratings of models. Plain Java on
 * counts, which a cluster can add up in any order; who judged, and how the votes are read, belongs
 * to the jobs.
 *
 * <p>A figure that does not exist (no votes, one rater, 0/0) is an empty {@link
 * java.util.OptionalDouble}, and never NaN or infinite. Intervals are of 95%.
 *
 * <p>May use: core.random.
 */
@NullMarked
package dev.distillery.core.rating;

import org.jspecify.annotations.NullMarked;
