/**
 * What a job is from outside: its options, run id, progress, summary, exit code and record. No
 * Spark here, and no knowledge of any one job.
 */
@NullMarked
package dev.distillery.core.run;

import org.jspecify.annotations.NullMarked;
