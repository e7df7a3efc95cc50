/**
 * The canonical tables: their schemas and codecs, where a run's rows lie, how they are staged and
 * committed, and how a reference to a table is read. Nothing here knows any one job.
 *
 * <p>May use: core.dialogue, core.run, core.teacher.
 */
@NullMarked
package dev.distillery.spark.warehouse;

import org.jspecify.annotations.NullMarked;
