package dev.distillery.training.run;

import java.io.Serializable;

/**
 * What a step's summed losses are divided by: the weights of all its rows together, over all its
 * micro-batches.
 *
 * @param weight of what is trained
 * @param text of a second loss that an objective adds, such as a classifier's auxiliary one over
 *     the text; of no meaning elsewhere
 */
public record Normaliser(double weight, double text) implements Serializable {}
