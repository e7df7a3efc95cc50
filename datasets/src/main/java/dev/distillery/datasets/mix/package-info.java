/**
 * What a mix of tables takes of each row: draws by a hash of the row, splits by shares. Plain Java,
 * so that the same rows are taken on any number of partitions, and by any other tool.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.datasets.mix;

import org.jspecify.annotations.NullMarked;
