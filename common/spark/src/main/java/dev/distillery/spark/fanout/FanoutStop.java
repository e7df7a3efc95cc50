package dev.distillery.spark.fanout;

import dev.distillery.core.run.ExitCode;
import java.io.Serializable;

/**
 * Why a run ends before its end. What has been answered stays in the ledger.
 *
 * @param exitCode {@code PARTIAL} where a budget is spent or too many requests fail, {@code
 *     TEMPORARY} where the server refuses for too long, {@code INVALID} where every further request
 *     would fail
 * @param message what happened, and what to do
 */
public record FanoutStop(ExitCode exitCode, String message) implements Serializable {}
