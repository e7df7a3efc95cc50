/**
 * The job {@code curate}: tables put together into a training set. Rules drop rows, placeholders
 * replace personal data, splits and weights take rows. What a rule says of a text is core.filter's.
 *
 * <p>May use: core.dialogue, core.filter, core.run, core.text, datasets.mix, spark.job,
 * spark.license, spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.curate;

import org.jspecify.annotations.NullMarked;
