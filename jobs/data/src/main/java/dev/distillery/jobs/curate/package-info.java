/** The job {@code curate}: tables put together, without the rows that a use does not allow. */
@NullMarked
package dev.distillery.jobs.curate;

import org.jspecify.annotations.NullMarked;
