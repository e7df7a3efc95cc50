/**
 * What a job is from outside: its options, run id, progress, summary, exit code and record. No
 * Spark here, and no knowledge of any one job.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.core.run;

import org.jspecify.annotations.NullMarked;
