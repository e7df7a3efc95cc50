/**
 * What a trained model says of itself: its card, and the terms of the model that it began from. Not
 * how it was trained.
 *
 * <p>May use: core.format, core.run, model.format, spark.license.
 */
@NullMarked
package dev.distillery.training.card;

import org.jspecify.annotations.NullMarked;
