/** The job {@code ingest}: a public data set's files become rows of a canonical table. */
@NullMarked
package dev.distillery.jobs.ingest;

import org.jspecify.annotations.NullMarked;
