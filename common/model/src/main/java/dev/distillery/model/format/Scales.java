package dev.distillery.model.format;

/**
 * Constants that a model multiplies by.
 *
 * @param embedding the token embedding: the root of the width in Gemma
 * @param attention the products of queries and keys: 1 / sqrt(head_dim) unless the model says else
 * @param residual what attention and MLP add to the residual stream
 * @param logits the output head's products
 */
public record Scales(double embedding, double attention, double residual, double logits) {}
