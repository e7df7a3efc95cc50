/** Anthropic's helpful and harmless comparisons. */
@NullMarked
package dev.distillery.datasets.hhrlhf;

import org.jspecify.annotations.NullMarked;
