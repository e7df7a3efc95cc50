/**
 * Requests to teachers over the cluster: limits and budgets held by the driver, leases taken by
 * tasks, and the ledger of what was asked and answered. How one attempt is made is not known here
 * (see {@code dev.distillery.core.teacher}), nor what the replies are for (see the jobs).
 *
 * <p>May use: core.dialogue, core.run, core.teacher, spark.job, spark.warehouse.
 */
@NullMarked
package dev.distillery.spark.fanout;

import org.jspecify.annotations.NullMarked;
