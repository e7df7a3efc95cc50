/** OpenAI's comparisons of summaries. */
@NullMarked
package dev.distillery.datasets.summarize;

import org.jspecify.annotations.NullMarked;
