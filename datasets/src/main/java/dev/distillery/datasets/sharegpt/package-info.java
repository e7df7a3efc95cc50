/**
 * ShareGPT: dialogues that users shared, in every shape that they are published in, and the rules
 * that FastChat and Koala cleaned them with.
 */
@NullMarked
package dev.distillery.datasets.sharegpt;

import org.jspecify.annotations.NullMarked;
