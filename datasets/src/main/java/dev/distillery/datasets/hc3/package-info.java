/** HC3: questions with answers of people and of ChatGPT. */
@NullMarked
package dev.distillery.datasets.hc3;

import org.jspecify.annotations.NullMarked;
