/** Open Assistant: trees of messages. */
@NullMarked
package dev.distillery.datasets.oasst;

import org.jspecify.annotations.NullMarked;
