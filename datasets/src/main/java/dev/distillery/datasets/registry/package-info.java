/** The list of every source that can be read. Knows all source packages; none of them knows it. */
@NullMarked
package dev.distillery.datasets.registry;

import org.jspecify.annotations.NullMarked;
