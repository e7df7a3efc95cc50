/** Comparisons in the shapes that tools exchange: prompt, chosen, rejected. */
@NullMarked
package dev.distillery.datasets.preferences;

import org.jspecify.annotations.NullMarked;
